//! Secrets at rest: sealed so that a copy of the database is worth nothing without the configuration's key.
//!
//! A sealed value names the key it was sealed under and is bound to its place: moved to another row, it does not open.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use berth_domain::Entropy;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// `version, key id, nonce, ciphertext and tag`.
const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 12;
const HEAD: usize = 1 + KEY_ID + NONCE;

/// The shortest secret that a key is made from, in bytes.
pub const SHORTEST_SECRET_KEY: usize = 16;

/// The keys that open what is sealed; the first one seals.
pub struct Seals {
    keys: RwLock<Arc<Vec<SealKey>>>,
    again: Option<Again>,
}

/// Where the keys are read again; `None` if they cannot be read now.
type Again = Box<dyn Fn() -> Option<Seals> + Send + Sync>;

struct SealKey {
    id: [u8; KEY_ID],
    cipher: Aes256Gcm,
}

/// What was in a sealed value.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The secret.
    pub content: Vec<u8>,
    /// Sealed under an older key: seal it again.
    pub stale: bool,
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Too short to be a secret.
    #[error("secret_key must be at least {SHORTEST_SECRET_KEY} bytes long")]
    ShortKey,
    /// The key is not among those that are configured.
    #[error("sealed under a key that is not configured: give the earlier secret_key as a previous one")]
    UnknownKey,
    /// Changed, moved, or not sealed at all.
    #[error("a sealed secret is damaged or was moved from its place")]
    Damaged,
}

impl Seals {
    /// Makes keys of the configured secrets: `current` seals, `previous` ones still open.
    pub fn new<'a>(
        current: &'a [u8],
        previous: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, SealError> {
        let secrets = [current].into_iter().chain(previous);
        let keys = secrets.map(SealKey::derive).collect::<Result<_, _>>()?;
        Ok(Self { keys: RwLock::new(Arc::new(keys)), again: None })
    }

    /// The same keys, which are replaced by what `again` gives when they meet something that was sealed under another: somebody may
    /// have put another key in their place.
    #[must_use]
    pub fn read_again(self, again: impl Fn() -> Option<Self> + Send + Sync + 'static) -> Self {
        Self { again: Some(Box::new(again)), ..self }
    }

    fn keys(&self) -> Arc<Vec<SealKey>> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals a secret for one place, for example `signing_key/<kid>/seed`.
    #[must_use]
    pub fn seal(&self, place: &str, content: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let keys = self.keys();
        let key = &keys[0];
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEAD + content.len() + 16);
        sealed.push(VERSION);
        sealed.extend(key.id);
        sealed.extend(nonce);
        let payload = Payload { msg: content, aad: &bound(key.id, place) };
        sealed.extend(key.encrypt(nonce, payload));
        sealed
    }

    /// Opens what [`Seals::seal`] sealed for the same place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Opened, SealError> {
        let opened = open_with(&self.keys(), place, sealed);
        let (Err(SealError::UnknownKey), Some(again)) = (&opened, &self.again) else { return opened };
        let Some(found) = again() else { return opened };
        let found = found.keys();
        let opened = open_with(&found, place, sealed);
        if opened.is_ok() {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = found;
            tracing::info!("secrets are sealed under another key now, which was read");
        }
        opened
    }

    /// The same secret sealed under the current key; `None` if it is already.
    pub fn reseal(
        &self,
        place: &str,
        sealed: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Option<Vec<u8>>, SealError> {
        let opened = self.open(place, sealed)?;
        Ok(opened.stale.then(|| self.seal(place, &opened.content, entropy)))
    }
}

impl SealKey {
    fn derive(secret: &[u8]) -> Result<Self, SealError> {
        if secret.len() < SHORTEST_SECRET_KEY {
            return Err(SealError::ShortKey);
        }
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
        let key: [u8; 32] = mac.chain_update(b"berth secrets at rest").finalize().into_bytes().into();
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&Sha256::digest(key)[..KEY_ID]);
        Ok(Self { id, cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(key)) })
    }

    fn encrypt(&self, nonce: [u8; NONCE], payload: Payload<'_, '_>) -> Vec<u8> {
        let ciphertext = self.cipher.encrypt(&Nonce::from(nonce), payload);
        ciphertext.expect("a secret is far below the cipher's 64 GiB")
    }
}

fn open_with(keys: &[SealKey], place: &str, sealed: &[u8]) -> Result<Opened, SealError> {
    let (head, ciphertext) = sealed.split_at_checked(HEAD).ok_or(SealError::Damaged)?;
    let (&[VERSION], rest) = head.split_at(1) else { return Err(SealError::Damaged) };
    let (id, nonce) = rest.split_at(KEY_ID);
    let position = keys.iter().position(|key| key.id == id).ok_or(SealError::UnknownKey)?;
    let key = &keys[position];
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError::Damaged)?;
    let payload = Payload { msg: ciphertext, aad: &bound(key.id, place) };
    let content = key.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| SealError::Damaged)?;
    Ok(Opened { content, stale: position > 0 })
}

/// What a sealed value is bound to.
fn bound(id: [u8; KEY_ID], place: &str) -> Vec<u8> {
    [&[VERSION][..], &id, place.as_bytes()].concat()
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        let ids = keys.iter().map(|key| hex::encode(key.id));
        f.debug_list().entries(ids).finish()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("stale", &self.stale).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use berth_domain::SystemEntropy;

    use super::*;

    const OLD: &[u8] = b"an old secret key";
    const NEW: &[u8] = b"a new secret key of another length";

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let seals = Seals::new(OLD, []).unwrap();
        let sealed = seals.seal("signing_key/a", b"seed", &SystemEntropy);
        assert_eq!(seals.open("signing_key/a", &sealed).unwrap().content, b"seed");
        assert_eq!(seals.open("signing_key/b", &sealed), Err(SealError::Damaged));
        assert_ne!(seals.seal("signing_key/a", b"seed", &SystemEntropy), sealed, "nonces differ");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(seals.open("signing_key/a", &changed).is_err(), "byte {index}");
            assert!(seals.open("signing_key/a", &sealed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn rotation_opens_with_the_old_key_and_seals_with_the_new() {
        let sealed = Seals::new(OLD, []).unwrap().seal("p", b"secret", &SystemEntropy);
        let both = Seals::new(NEW, [OLD]).unwrap();
        assert!(both.open("p", &sealed).unwrap().stale);
        let again = both.reseal("p", &sealed, &SystemEntropy).unwrap().unwrap();
        assert_eq!(both.reseal("p", &again, &SystemEntropy), Ok(None));
        let only_new = Seals::new(NEW, []).unwrap();
        assert_eq!(only_new.open("p", &again).unwrap().content, b"secret");
        assert_eq!(only_new.open("p", &sealed), Err(SealError::UnknownKey));
    }

    #[test]
    fn a_key_that_was_put_in_the_place_of_ours_is_read() {
        let old = Seals::new(OLD, []).unwrap().seal("p", b"secret", &SystemEntropy);
        let new = Seals::new(NEW, []).unwrap().seal("p", b"secret", &SystemEntropy);
        let seals = Seals::new(OLD, []).unwrap().read_again(|| Seals::new(NEW, []).ok());
        assert!(seals.open("p", &old).is_ok());
        assert_eq!(seals.open("p", &new).unwrap().content, b"secret");
        let sealed = seals.seal("p", b"more", &SystemEntropy);
        assert_eq!(Seals::new(NEW, []).unwrap().open("p", &sealed).unwrap().content, b"more");
        assert_eq!(seals.open("p", &old), Err(SealError::UnknownKey));
        let foreign = Seals::new(b"a key of somebody else", []).unwrap().seal("p", b"x", &SystemEntropy);
        assert_eq!(seals.open("p", &foreign), Err(SealError::UnknownKey));
        assert!(seals.open("p", &new).is_ok(), "what cannot be opened costs no key");
        let lost = Seals::new(OLD, []).unwrap().read_again(|| None);
        assert_eq!(lost.open("p", &new), Err(SealError::UnknownKey));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(Seals::new(b"fifteen bytes..", []).err(), Some(SealError::ShortKey));
        assert_eq!(Seals::new(NEW, [&b""[..]]).err(), Some(SealError::ShortKey));
    }
}
