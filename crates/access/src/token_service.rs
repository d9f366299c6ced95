//! What a docker client asks for after a challenge: a token for what it may do, and a refresh token to come back with.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use berth_domain::{Actor, ActorKind, Clock, Entropy, UserId};
use berth_metadata::refresh_token::RefreshToken;
use berth_metadata::{Metadata, retry};

use crate::authority::Authority;
use crate::caller::Identity;
use crate::keyring::Keyring;
use crate::scope::{ResourceActions, ScopeTarget};
use crate::target::Target;
use crate::token::IssuedToken;
use crate::{Caller, LoginError, Means, Secret, opaque};

/// How many unused refresh tokens one transaction removes.
const PRUNED: u32 = 1000;
const DAY: Duration = Duration::from_hours(24);

/// Issues tokens.
#[derive(Clone, Debug)]
pub struct TokenService {
    /// The accounts.
    pub metadata: Arc<dyn Metadata>,
    /// What they may do.
    pub authority: Arc<Authority>,
    /// What tokens are signed with.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What refresh tokens are made of.
    pub entropy: Arc<dyn Entropy>,
}

/// A token and what it says.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The token.
    pub token: IssuedToken,
    /// What was asked for, each with the actions that were granted.
    pub access: Vec<ResourceActions>,
}

impl TokenService {
    /// A token for what is asked, as far as the caller may do it; also one that permits nothing, by which clients learn that
    /// their password is right. A token is not given for a token.
    pub async fn issue(&self, caller: &Caller, asked: &[ResourceActions]) -> Result<Granted, LoginError> {
        let access = self.grant(caller, asked).await?;
        let token = self.keyring.tokens().issue(&caller.actor, caller.issued_at, access.clone())?;
        Ok(Granted { token, access })
    }

    /// What of the asked the caller may do now.
    pub async fn grant(
        &self,
        caller: &Caller,
        asked: &[ResourceActions],
    ) -> Result<Vec<ResourceActions>, LoginError> {
        if matches!(caller.means, Means::Bearer(_)) {
            return Err(LoginError::Means);
        }
        self.authority.honours(caller).await?;
        let mut granted = Vec::with_capacity(asked.len());
        for one in asked {
            let target = one.target();
            let target = match &target {
                ScopeTarget::Repository(name) => Target::Repository(name),
                ScopeTarget::Catalog | ScopeTarget::Nothing => Target::System,
            };
            granted.push(one.granted(&self.authority.permissions(caller, target).await?));
        }
        Ok(granted)
    }

    /// A refresh token for a user; robots and anonymous callers get none. `client_id` is what the client calls itself.
    pub async fn refresh_token(
        &self,
        caller: &Caller,
        client_id: &str,
    ) -> Result<Option<Secret>, LoginError> {
        if caller.actor.kind != ActorKind::User || matches!(caller.means, Means::Bearer(_)) {
            return Ok(None);
        }
        let (text, hash) = opaque::generate(self.entropy.as_ref());
        let token = RefreshToken {
            hash: hash.0,
            user: UserId(caller.actor.id),
            service: self.keyring.tokens().service().to_owned(),
            client_id: client_id.chars().filter(|c| !c.is_control()).take(100).collect(),
            issued_at: caller.issued_at,
            last_used_at: self.clock.now(),
        };
        retry!(self.add(&token).await)?;
        Ok(Some(text))
    }

    async fn add(&self, token: &RefreshToken) -> berth_metadata::Result<()> {
        let mut tx = self.metadata.begin().await?;
        tx.add_refresh_token(token).await?;
        tx.commit().await
    }

    /// Whoever shows a refresh token.
    pub async fn redeem(
        &self,
        shown: &Secret,
        address: Option<IpAddr>,
        request_id: String,
    ) -> Result<Caller, LoginError> {
        let hash = opaque::hash(shown.reveal()).ok_or(LoginError::Revoked)?;
        let token = self.metadata.refresh_token(&hash.0).await?.ok_or(LoginError::Revoked)?;
        if token.service != self.keyring.tokens().service() {
            return Err(LoginError::Revoked);
        }
        let user = self.metadata.user(token.user).await?.ok_or(LoginError::Revoked)?;
        let actor = Actor { kind: ActorKind::User, id: user.id.0, name: user.username };
        let identity = Identity { actor, issued_at: token.issued_at, ends_at: None };
        let caller = identity.calls(Means::Basic, address, request_id);
        self.authority.honours(&caller).await?;
        self.touch(&token).await?;
        Ok(caller)
    }

    /// Revokes a refresh token; one that is gone is fine.
    pub async fn revoke(&self, shown: &Secret) -> Result<(), LoginError> {
        let Some(hash) = opaque::hash(shown.reveal()) else { return Ok(()) };
        let mut tx = self.metadata.begin().await?;
        tx.remove_refresh_token(&hash.0).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes refresh tokens that nobody used for so long. Called every hour.
    pub async fn prune(&self, unused: Duration) -> berth_metadata::Result<()> {
        let before = self.clock.now().minus(unused);
        loop {
            let mut tx = self.metadata.begin().await?;
            let gone = tx.prune_refresh_tokens(before, PRUNED).await?;
            tx.commit().await?;
            if gone < u64::from(PRUNED) {
                return Ok(());
            }
        }
    }

    /// Remembers the use, to the day: a write a day, not one a token.
    async fn touch(&self, token: &RefreshToken) -> Result<(), LoginError> {
        let now = self.clock.now();
        if now.since(token.last_used_at) < DAY {
            return Ok(());
        }
        let mut tx = self.metadata.begin().await?;
        tx.touch_refresh_token(&token.hash, now).await?;
        tx.commit().await?;
        Ok(())
    }
}
