//! Who did something, as it is remembered: the name at the time stays even if the account goes.

/// Who acts: a kind, an id that never changes or returns, and the name at the time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// What kind of account.
    pub kind: ActorKind,
    /// The account's id among its kind; 0 where the kind has no accounts.
    pub id: i64,
    /// The account's name when it acted.
    pub name: String,
}

/// The kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// Nobody said who they are.
    Anonymous,
    /// A person's account.
    User,
    /// A machine's account.
    Robot,
    /// Berth itself: expiry, repair, migration.
    System,
}

impl Actor {
    /// The actor behind a request without credentials.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, id: 0, name: "anonymous".to_owned() }
    }

    /// Berth itself.
    #[must_use]
    pub fn system() -> Self {
        Self { kind: ActorKind::System, id: 0, name: "berth".to_owned() }
    }
}

impl ActorKind {
    /// The kind as databases and logs keep it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User => "user",
            Self::Robot => "robot",
            Self::System => "system",
        }
    }

    /// Reads [`ActorKind::as_str`] back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Anonymous, Self::User, Self::Robot, Self::System]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}
