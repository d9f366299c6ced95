//! The keys that sign tokens: Ed25519, made of 32 random bytes, named by the thumbprint of their public half.

use std::fmt;
use std::sync::Arc;

use berth_domain::{Entropy, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// What comes before the 32 bytes in a PKCS #8 Ed25519 private key (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// One key.
#[derive(Clone)]
pub struct SigningKey {
    jwk: Jwk,
    kid: String,
    private: EncodingKey,
    public: DecodingKey,
    signs_from: Timestamp,
}

/// The keys that are valid now, in the order in which they sign.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Arc<SigningKey>>,
}

/// The bytes are no key.
#[derive(Debug, thiserror::Error)]
#[error("the signing key cannot be used")]
pub struct KeyError(#[source] jsonwebtoken::errors::Error);

impl SigningKey {
    /// The key of these random bytes; it signs from `signs_from` on and is believed from now on.
    pub fn from_seed(seed: &[u8; 32], signs_from: Timestamp) -> Result<Self, KeyError> {
        let private = EncodingKey::from_ed_der(&[&PKCS8_HEAD[..], seed].concat());
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::EdDSA).map_err(KeyError)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(KeyError)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public = DecodingKey::from_jwk(&jwk).map_err(KeyError)?;
        Ok(Self { jwk, kid, private, public, signs_from })
    }

    /// Random bytes for a new key, to be sealed.
    #[must_use]
    pub fn seed(entropy: &dyn Entropy) -> [u8; 32] {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        seed
    }

    /// Its name: the RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn private(&self) -> &EncodingKey {
        &self.private
    }

    pub(super) fn public(&self) -> &DecodingKey {
        &self.public
    }
}

impl KeySet {
    /// Orders the keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SigningKey>) -> Self {
        let mut keys: Vec<_> = keys.into_iter().map(Arc::new).collect();
        keys.sort_by(|a, b| (a.signs_from, &a.kid).cmp(&(b.signs_from, &b.kid)));
        Self { keys }
    }

    /// The key that signs now: the latest whose time has come; the first one if none has.
    #[must_use]
    pub fn signer(&self, now: Timestamp) -> Option<&SigningKey> {
        let begun = self.keys.iter().rev().find(|key| key.signs_from <= now);
        begun.or(self.keys.first()).map(AsRef::as_ref)
    }

    /// The key of that name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.kid == kid).map(AsRef::as_ref)
    }

    /// The names of all of them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.kid.as_str())
    }

    /// The public halves as a JSON Web Key Set (RFC 7517), for whoever wants to check tokens.
    #[must_use]
    pub fn jwks(&self) -> String {
        json(&JwkSet { keys: self.keys.iter().map(|key| key.jwk.clone()).collect() })
    }
}

fn json(set: &JwkSet) -> String {
    serde_json::to_string(set).expect("a key set is plain text and becomes JSON")
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}
