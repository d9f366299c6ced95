//! Sessions: people in a browser, known by a cookie.

use std::net::IpAddr;
use std::sync::Arc;

use berth_domain::{Actor, ActorKind, Timestamp, UserId};
use berth_metadata::retry;
use berth_metadata::session::Session;

use super::{Authenticator, AuthenticatorParts, Credentials};
use crate::believed::{Believed, Bridge};
use crate::caller::Identity;
use crate::{Caller, LoginError, Means, Secret, changes, opaque};

/// How many expired sessions one transaction removes.
const PRUNED: u32 = 1000;

/// A session with what its caller is made of.
#[derive(Debug)]
pub(super) struct Remembered {
    session: Session,
    username: String,
}

/// A session that has just begun.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The cookie's value, new at each log-in.
    pub cookie: Secret,
    /// When the session ends if it is not used.
    pub expires_at: Timestamp,
    /// Who it is.
    pub caller: Caller,
}

/// What is known of sessions, by the hash of their cookie.
pub(super) fn remembered(
    parts: &AuthenticatorParts,
    capacity: usize,
) -> Believed<[u8; 32], Option<Arc<Remembered>>> {
    let metadata = Arc::clone(&parts.metadata);
    let made_of = |id_hash: &[u8; 32]| vec![changes::session(id_hash)];
    Believed::new(capacity, parts.authority.around().clone(), made_of, move |id_hash: [u8; 32]| {
        let metadata = Arc::clone(&metadata);
        Box::pin(async move {
            let Some(session) = metadata.session(&id_hash).await? else { return Ok(None) };
            let user = metadata.user(session.user).await?;
            Ok(user.map(|user| Arc::new(Remembered { session, username: user.username })))
        })
    })
}

impl Authenticator {
    /// Begins a session for a user who shows a password. Robots have none.
    pub async fn log_in(&self, shown: &Credentials<'_>) -> Result<LoggedIn, LoginError> {
        let identity = self.checked(shown).await?;
        if identity.actor.kind != ActorKind::User {
            return Err(LoginError::Wrong);
        }
        let (cookie, hash) = opaque::generate(self.parts.entropy.as_ref());
        let session = Session {
            id_hash: hash.0,
            user: UserId(identity.actor.id),
            created_at: identity.issued_at,
            expires_at: self.parts.clock.now().plus(self.settings.session_lifetime),
        };
        retry!(self.add(&session).await)?;
        let caller = identity.calls(Means::Session, shown.address, shown.request_id.to_owned());
        Ok(LoggedIn { cookie, expires_at: session.expires_at, caller })
    }

    async fn add(&self, session: &Session) -> berth_metadata::Result<()> {
        let mut tx = self.parts.metadata.begin().await?;
        tx.add_session(session).await?;
        tx.commit().await
    }

    /// Whoever shows a session's cookie. A session that is used lives on.
    pub async fn session(
        &self,
        cookie: &Secret,
        address: Option<IpAddr>,
        request_id: String,
    ) -> Result<Caller, LoginError> {
        let hash = opaque::hash(cookie.reveal()).ok_or(LoginError::Revoked)?;
        let known = self.sessions.get(&hash.0, Bridge::No).await?.ok_or(LoginError::Revoked)?;
        let (session, now) = (&known.session, self.parts.clock.now());
        if session.expires_at <= now {
            return Err(LoginError::Revoked);
        }
        let actor = Actor { kind: ActorKind::User, id: session.user.0, name: known.username.clone() };
        let identity = Identity { actor, issued_at: session.created_at, ends_at: None };
        let caller = identity.calls(Means::Session, address, request_id);
        self.parts.authority.honours(&caller).await?;
        if session.expires_at.since(now) < self.settings.session_lifetime / 2 {
            self.extend(session.id_hash, now.plus(self.settings.session_lifetime)).await?;
        }
        Ok(caller)
    }

    /// Ends a session; a cookie that names none is fine.
    pub async fn log_out(&self, cookie: &Secret) -> Result<(), LoginError> {
        let Some(hash) = opaque::hash(cookie.reveal()) else { return Ok(()) };
        let mut tx = self.parts.metadata.begin().await?;
        tx.remove_session(&hash.0).await?;
        tx.commit().await?;
        self.parts.authority.around().tell(changes::session(&hash.0)).await;
        Ok(())
    }

    /// The token that the session's unsafe requests must carry.
    #[must_use]
    pub fn csrf(&self, cookie: &Secret) -> String {
        self.parts.secret_key.csrf(cookie)
    }

    /// Whether a request carried its session's token.
    #[must_use]
    pub fn verify_csrf(&self, cookie: &Secret, token: &str) -> bool {
        self.parts.secret_key.verify_csrf(cookie, token)
    }

    /// Removes sessions that are over. Called every hour.
    pub async fn prune_sessions(&self) -> berth_metadata::Result<()> {
        let now = self.parts.clock.now();
        loop {
            let mut tx = self.parts.metadata.begin().await?;
            let gone = tx.prune_sessions(now, PRUNED).await?;
            tx.commit().await?;
            if gone < u64::from(PRUNED) {
                return Ok(());
            }
        }
    }

    async fn extend(&self, id_hash: [u8; 32], expires_at: Timestamp) -> Result<(), LoginError> {
        let mut tx = self.parts.metadata.begin().await?;
        tx.extend_session(&id_hash, expires_at).await?;
        tx.commit().await?;
        self.parts.authority.around().tell(changes::session(&id_hash)).await;
        Ok(())
    }
}
