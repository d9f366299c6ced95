//! The catalogue of what can be permitted: Harbor's resources and actions, as far as Berth has them.

/// What is acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// The list of all repositories.
    Catalog,
    /// A project itself.
    Project,
    /// A repository and its content; `pull` and `push` are its own actions.
    Repository,
    /// A manifest with what belongs to it.
    Artifact,
    /// A tag.
    Tag,
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make one.
    Create,
    /// Look at one.
    Read,
    /// Change one.
    Update,
    /// Remove one.
    Delete,
    /// See which there are.
    List,
    /// Take content out.
    Pull,
    /// Put content in.
    Push,
}

impl Resource {
    /// The name in Harbor's catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Project => "project",
            Self::Repository => "repository",
            Self::Artifact => "artifact",
            Self::Tag => "tag",
        }
    }
}

impl Action {
    /// The name in Harbor's catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}
