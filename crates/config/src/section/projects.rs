//! How projects come to be.

use crate::setting;
use crate::value::ProjectCreation;

setting::table! {
    /// How projects come to be.
    pub struct Projects(projects) {
        /// Who may make projects: `everyone` with an account, or `adminonly`: system administrators.
        creation: ProjectCreation = "everyone",
        /// Whether a push makes the project that it names, private, if whoever pushes may make projects.
        create_on_push: bool = "false",
    }
}
