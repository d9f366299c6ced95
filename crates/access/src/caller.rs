//! The caller: who, by which means, from where, in which request.

use std::net::IpAddr;

use berth_domain::Actor;

/// Whoever makes a request. Made by a door once a request, passed to use cases, remembered by what they write.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub actor: Actor,
    /// How they showed that.
    pub means: Means,
    /// Where the request comes from, if it comes over a network.
    pub address: Option<IpAddr>,
    /// The request's id, as in its answer and in the log.
    pub request_id: String,
}

/// How a caller showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// They did not.
    Nothing,
}

impl Caller {
    /// A caller without credentials.
    #[must_use]
    pub fn anonymous(address: Option<IpAddr>, request_id: String) -> Self {
        Self { actor: Actor::anonymous(), means: Means::Nothing, address, request_id }
    }
}
