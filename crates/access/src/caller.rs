//! The caller: who, by which means, from where, in which request.

use std::net::IpAddr;
use std::sync::Arc;

use berth_domain::{Actor, Timestamp};

use crate::token::VerifiedToken;

/// Whoever makes a request. Made by a door once a request, passed to use cases, remembered by what they write.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub actor: Actor,
    /// How they showed that.
    pub means: Means,
    /// The moment that their credentials speak for: if the account's `valid_after` is later, they are refused.
    pub issued_at: Timestamp,
    /// When the account ends, if it is one that ends.
    pub ends_at: Option<Timestamp>,
    /// Where the request comes from, if it comes over a network.
    pub address: Option<IpAddr>,
    /// The request's id, as in its answer and in the log.
    pub request_id: String,
}

/// How a caller showed who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// They did not.
    Nothing,
    /// By a name and a secret.
    Basic,
    /// By a token: they may do no more than it says.
    Bearer(Arc<VerifiedToken>),
    /// By a session's cookie: unsafe requests need its other token too.
    Session,
    /// Berth itself acts.
    System,
}

/// What was found out about whoever showed credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub actor: Actor,
    /// See [`Caller::issued_at`].
    pub issued_at: Timestamp,
    /// See [`Caller::ends_at`].
    pub ends_at: Option<Timestamp>,
}

impl Caller {
    /// A caller without credentials.
    #[must_use]
    pub fn anonymous(address: Option<IpAddr>, request_id: String) -> Self {
        Identity::unrevocable(Actor::anonymous()).calls(Means::Nothing, address, request_id)
    }

    /// Berth itself.
    #[must_use]
    pub fn system(request_id: String) -> Self {
        Identity::unrevocable(Actor::system()).calls(Means::System, None, request_id)
    }

    /// Whether nobody said who they are.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.means == Means::Nothing
    }
}

impl Identity {
    fn unrevocable(actor: Actor) -> Self {
        Self { actor, issued_at: Timestamp::from_micros(0), ends_at: None }
    }

    /// The caller with this identity.
    #[must_use]
    pub fn calls(self, means: Means, address: Option<IpAddr>, request_id: String) -> Caller {
        let Self { actor, issued_at, ends_at } = self;
        Caller { actor, means, issued_at, ends_at, address, request_id }
    }
}
