//! Which door answers: by the first part of the path.

use axum::extract::Request;
use axum::response::Response;
use berth_api_distribution::Door as Distribution;
use berth_api_harbor::Door as Harbor;

/// Both doors. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    /// The registry and its tokens.
    pub(crate) distribution: Distribution,
    /// Harbor's REST API.
    pub(crate) harbor: Harbor,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Distribution(Distribution),
    Harbor(Harbor),
}

impl Doors {
    /// The door for a path, if there is one.
    pub(crate) fn of(&self, path: &str) -> Option<Door> {
        let under = |prefix: &str| path.starts_with(prefix);
        if Distribution::owns(path) {
            Some(Door::Distribution(self.distribution.clone()))
        } else if under("/api/") || under("/c/") {
            Some(Door::Harbor(self.harbor.clone()))
        } else {
            None
        }
    }
}

impl Door {
    /// Answers one request; every failure is an answer too.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        match self {
            Self::Distribution(door) => door.answer(request).await,
            Self::Harbor(door) => door.answer(request).await,
        }
    }
}
