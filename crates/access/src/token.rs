//! Bearer tokens: signed so that every replica can check them without asking another.
//!
//! **Invariants.** Only one algorithm is ever accepted, and only for the one audience, whatever a token says of itself. A token
//! says what its bearer may do at most; what the subject may do now is asked elsewhere. Checking the same token again costs one
//! hash of it.

mod key;
mod rotation;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use berth_domain::{Actor, ActorKind, Clock, Entropy, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::recent::Recent;
use crate::scope::{Coverage, ResourceActions};
use crate::tally::TokenCounts;

pub use key::{KeyError, KeySet, SigningKey};
pub use rotation::{Rotation, RotationPlan};

/// The longest token that there can be, in bytes, whatever the settings say.
pub const LONGEST_TOKEN: usize = 64 * 1024;

/// How far the clocks of two replicas may be apart.
pub const CLOCK_SKEW: Duration = Duration::from_mins(1);

const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// What is written into tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// Who issues them.
    pub issuer: String,
    /// Whom they are for: one constant, whatever the host.
    pub service: String,
    /// How long they last; at least a minute.
    pub lifetime: Duration,
    /// How many checked tokens are remembered.
    pub remembered: usize,
    /// The longest token that is issued or looked at, in bytes: what a request's header has room for, up to [`LONGEST_TOKEN`].
    pub longest: usize,
}

/// A token on its way out.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The text for the `Authorization` header.
    pub token: crate::Secret,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// How long it lasts.
    pub lifetime: Duration,
}

/// A token that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Whose it is.
    pub actor: Actor,
    /// What was granted when it was issued.
    pub access: Vec<ResourceActions>,
    /// What it may be used for at most.
    pub coverage: Coverage,
    /// The moment that it speaks for, to the microsecond: what is older than the subject's `valid_after` is refused.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Why a token cannot be issued; the words are for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// It would be longer than what can be shown here.
    #[error(
        "a token for all of this would be longer than the {0} bytes that a request's header has room for: ask for fewer repositories in one token"
    )]
    Long(usize),
    /// There is no key to sign with.
    #[error("tokens cannot be signed now: try again")]
    NoKey,
}

/// Why a token is refused; the words are for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token from here.
    #[error("the token is longer than any that is issued here: log in again")]
    Long,
    /// No token at all.
    #[error("the token is malformed: log in again")]
    Malformed,
    /// Signed in another way, or not at all.
    #[error("the token's algorithm is not accepted: log in again")]
    Algorithm,
    /// Signed by a key that is not known here.
    #[error("the token was signed by an unknown key: log in again")]
    UnknownKey,
    /// Not signed by that key.
    #[error("the token's signature does not match: log in again")]
    Signature,
    /// For somebody else.
    #[error("the token is for another service: log in here")]
    Audience,
    /// From somebody else.
    #[error("the token is from another issuer: log in here")]
    Issuer,
    /// Over.
    #[error("the token has expired: log in again")]
    Expired,
    /// Not begun.
    #[error("the token is not valid yet: check the clocks")]
    NotYet,
}

/// What a token says. The names are those of a docker registry's tokens; `berth` is our own.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    access: Vec<ResourceActions>,
    berth: SubjectClaim,
}

/// Whose the token is, by what never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SubjectClaim {
    kind: String,
    id: i64,
    /// The moment that the token speaks for, in microseconds.
    at: Timestamp,
}

/// Issues and checks tokens.
pub struct Tokens {
    settings: TokenSettings,
    keys: RwLock<Arc<KeySet>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    checked: Recent<[u8; 32], Arc<VerifiedToken>>,
    counts: TokenCounts,
}

impl Tokens {
    /// Issues and checks with `keys`, until others are set.
    #[must_use]
    pub fn new(
        settings: TokenSettings,
        keys: KeySet,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let checked = Recent::new(settings.remembered);
        let keys = RwLock::new(Arc::new(keys));
        Self { settings, keys, clock, entropy, checked, counts: TokenCounts::default() }
    }

    /// How many were issued and checked.
    #[must_use]
    pub fn counts(&self) -> &TokenCounts {
        &self.counts
    }

    /// Whom tokens are for.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.settings.service
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other keys into use. If one of the earlier ones is gone, what was checked with it is forgotten.
    pub fn set_keys(&self, keys: KeySet) {
        let earlier = self.keys();
        let all_stay = earlier.ids().all(|kid| keys.find(kid).is_some());
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        if !all_stay {
            self.checked.clear();
        }
    }

    /// Issues a token for what was granted. It speaks for the moment `of` of the credentials that it is issued for, not for its
    /// own: so a change of the password counts also for who showed the old one just before it, whatever the replicas' clocks say.
    pub fn issue(
        &self,
        actor: &Actor,
        of: Timestamp,
        access: Vec<ResourceActions>,
    ) -> Result<IssuedToken, IssueError> {
        let now = self.clock.now();
        let keys = self.keys();
        let key = keys.signer(now).ok_or(IssueError::NoKey)?;
        let anonymous = actor.kind == ActorKind::Anonymous;
        let seconds = now.as_micros().div_euclid(1_000_000);
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            sub: if anonymous { String::new() } else { actor.name.clone() },
            aud: self.settings.service.clone(),
            exp: seconds.saturating_add_unsigned(self.settings.lifetime.as_secs()),
            nbf: seconds,
            iat: seconds,
            jti: self.entropy.uuid().to_string(),
            access,
            berth: SubjectClaim { kind: actor.kind.as_str().to_owned(), id: actor.id, at: of },
        };
        let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(ALGORITHM) };
        let token = encode(&header, &claims, key.private()).map_err(|_| IssueError::NoKey)?;
        if token.len() > self.settings.longest {
            return Err(IssueError::Long(self.settings.longest));
        }
        self.counts.issued_to(actor.kind);
        Ok(IssuedToken { token: crate::Secret::new(token), issued_at: now, lifetime: self.settings.lifetime })
    }

    /// Checks a token. [`TokenError::UnknownKey`] may mean that a new key is in the database: read them anew, then try again.
    pub fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, TokenError> {
        if token.len() > self.settings.longest {
            return Err(TokenError::Long);
        }
        let now = self.clock.now();
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.checked.get(&hash, now) {
            self.counts.remembered.one_more();
            return Ok(known);
        }
        self.counts.checked.one_more();
        let verified = Arc::new(self.decode(token, now)?);
        self.checked.put(hash, Arc::clone(&verified), verified.expires_at);
        Ok(verified)
    }

    fn decode(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, TokenError> {
        let header = decode_header(token).map_err(|error| match error.kind() {
            // `none`, and every other algorithm that the library does not know.
            ErrorKind::Json(error) if error.is_data() => TokenError::Algorithm,
            _ => refused(&error),
        })?;
        if header.alg != ALGORITHM {
            return Err(TokenError::Algorithm);
        }
        let keys = self.keys();
        let key = header.kid.as_deref().and_then(|kid| keys.find(kid)).ok_or(TokenError::UnknownKey)?;
        let claims =
            decode::<Claims>(token, key.public(), &self.validation()).map_err(|error| refused(&error))?;
        let claims = claims.claims;
        let expires_at = seconds(claims.exp);
        if now >= expires_at {
            return Err(TokenError::Expired);
        }
        // `berth.at` is no time to wait for: it is held against the account's row, which a clock that was ahead may have written.
        if seconds(claims.nbf) > now.plus(CLOCK_SKEW) {
            return Err(TokenError::NotYet);
        }
        let kind = ActorKind::parse(&claims.berth.kind).ok_or(TokenError::Malformed)?;
        let actor = match kind {
            ActorKind::Anonymous => Actor::anonymous(),
            _ => Actor { kind, id: claims.berth.id, name: claims.sub },
        };
        let coverage = Coverage::of(&claims.access);
        Ok(VerifiedToken { actor, access: claims.access, coverage, issued_at: claims.berth.at, expires_at })
    }

    /// What the library checks; the times are checked here, by our own clock.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(ALGORITHM);
        validation.validate_exp = false;
        validation.set_audience(&[&self.settings.service]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        validation
    }
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

fn refused(error: &jsonwebtoken::errors::Error) -> TokenError {
    match error.kind() {
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenError::Algorithm,
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        _ => TokenError::Malformed,
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
