//! As much of the [`Gatekeeper`] as a door gets: who is asking, and their tokens. What the gatekeeper works with, the database and the
//! keys among it, is not in reach from here.

use std::net::IpAddr;

use berth_domain::Timestamp;

use crate::authenticator::Authenticator;
use crate::scope::ResourceActions;
use crate::token_service::Granted;
use crate::{Caller, Gatekeeper, LoginError, Secret};

/// Lets callers in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    gatekeeper: Gatekeeper,
}

impl Gate {
    pub(crate) fn of(gatekeeper: Gatekeeper) -> Self {
        Self { gatekeeper }
    }

    /// Finds out who it is.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator {
        &self.gatekeeper.authenticator
    }

    /// See [`TokenService::issue`](crate::token_service::TokenService::issue).
    pub async fn issue(&self, caller: &Caller, asked: &[ResourceActions]) -> Result<Granted, LoginError> {
        self.gatekeeper.tokens.issue(caller, asked).await
    }

    /// See [`TokenService::refresh_token`](crate::token_service::TokenService::refresh_token).
    pub async fn refresh_token(
        &self,
        caller: &Caller,
        client_id: &str,
    ) -> Result<Option<Secret>, LoginError> {
        self.gatekeeper.tokens.refresh_token(caller, client_id).await
    }

    /// See [`TokenService::redeem`](crate::token_service::TokenService::redeem).
    pub async fn redeem(
        &self,
        shown: &Secret,
        address: Option<IpAddr>,
        request_id: String,
    ) -> Result<Caller, LoginError> {
        self.gatekeeper.tokens.redeem(shown, address, request_id).await
    }

    /// See [`Authority::known_end`](crate::authority::Authority::known_end).
    #[must_use]
    pub fn known_end(&self, caller: &Caller) -> Option<Timestamp> {
        self.gatekeeper.authority.known_end(caller)
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.gatekeeper.tokens.clock.now()
    }

    /// See [`Gatekeeper::service`].
    #[must_use]
    pub fn service(&self) -> &str {
        self.gatekeeper.service()
    }

    /// The public halves of the keys that tokens are signed with, as a set of JSON web keys.
    #[must_use]
    pub fn public_keys(&self) -> String {
        self.gatekeeper.keyring().tokens().keys().jwks()
    }
}
