//! Projects: the top level of names, and of rights.

use berth_oci::ProjectName;

use crate::Timestamp;

/// A project's number: small, never used again. `library` is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(pub i64);

impl ProjectId {
    /// The project that is there from the start.
    pub const LIBRARY: Self = Self(1);
}

/// The first part of a repository's name, and what rights hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its number.
    pub id: ProjectId,
    /// Its name.
    pub name: ProjectName,
    /// Whether everyone may pull from it.
    pub public: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
