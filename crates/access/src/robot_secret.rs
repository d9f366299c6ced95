//! Secrets that Berth makes itself: so hard to guess that checking one may cost nothing.
//!
//! They are kept as HMAC-SHA256 under a random key of its own, so that the log-ins of a whole fleet are hashed in microseconds,
//! and a copy of the database alone lets nobody test a guess.

use std::fmt;

use berth_domain::Entropy;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Secret;

/// How long a generated secret is, as Harbor's: 32 letters and numbers, 190 bits.
const LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PREFIX: &str = "hmac-sha256$";

/// The key under which generated secrets are kept. It never changes as long as the installation lives.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Wraps the key that the database keeps sealed.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key, for the first start.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The key's bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The form in which a generated secret is kept.
    #[must_use]
    pub fn keep(&self, secret: &Secret) -> String {
        format!("{PREFIX}{}", hex::encode(self.mac(secret).finalize().into_bytes()))
    }

    /// Whether `stored` is kept in this form at all; otherwise it is a chosen one, kept as a password.
    #[must_use]
    pub fn is_kept(stored: &str) -> bool {
        stored.starts_with(PREFIX)
    }

    /// Whether `stored` is this secret's.
    #[must_use]
    pub fn verify(&self, stored: &str, secret: &Secret) -> bool {
        let kept = stored.strip_prefix(PREFIX).and_then(|hash| hex::decode(hash).ok());
        kept.is_some_and(|hash| self.mac(secret).verify_slice(&hash).is_ok())
    }

    /// A name for credentials that reveals nothing of them and that nobody else can compute: the key of what is remembered for a
    /// short while about them.
    #[must_use]
    pub fn fingerprint(&self, login: &str, secret: &Secret) -> [u8; 32] {
        let named = self.keyed().chain_update(b"log-in").chain_update(login.len().to_be_bytes());
        let mac = named.chain_update(login).chain_update(secret.reveal());
        mac.finalize().into_bytes().into()
    }

    /// The token that unsafe requests of a session must carry beside its cookie.
    #[must_use]
    pub fn csrf(&self, session: &Secret) -> String {
        hex::encode(self.keyed().chain_update(b"csrf").chain_update(session.reveal()).finalize().into_bytes())
    }

    /// Whether a request carried its session's token.
    #[must_use]
    pub fn verify_csrf(&self, session: &Secret, token: &str) -> bool {
        let mac = self.keyed().chain_update(b"csrf").chain_update(session.reveal());
        hex::decode(token).is_ok_and(|token| mac.verify_slice(&token).is_ok())
    }

    fn mac(&self, secret: &Secret) -> Hmac<Sha256> {
        self.keyed().chain_update(b"secret").chain_update(secret.reveal())
    }

    fn keyed(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }
}

/// A new secret with at least one uppercase letter, one lowercase letter and one number.
#[must_use]
pub fn generate(entropy: &dyn Entropy) -> Secret {
    loop {
        let text = letters(entropy);
        if berth_domain::user::check_password(&text).is_ok() {
            return Secret::new(text);
        }
    }
}

/// Whether a secret has the form of a generated one. Nobody can guess what was drawn like this.
#[must_use]
pub fn looks_generated(secret: &Secret) -> bool {
    let text = secret.reveal();
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Letters and numbers, each as likely as any other.
fn letters(entropy: &dyn Entropy) -> String {
    let mut text = String::with_capacity(LENGTH);
    let mut bytes = [0; LENGTH];
    while text.len() < LENGTH {
        entropy.fill(&mut bytes);
        let fair = bytes.iter().filter(|&&byte| usize::from(byte) < 4 * ALPHABET.len());
        let drawn = fair.map(|&byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        text.extend(drawn.take(LENGTH - text.len()));
    }
    text
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use berth_domain::SystemEntropy;

    use super::*;

    #[test]
    fn a_generated_secret_is_known_again_under_its_key_only() {
        let key = SecretKey::generate(&SystemEntropy);
        let secret = generate(&SystemEntropy);
        let stored = key.keep(&secret);
        assert!(SecretKey::is_kept(&stored) && !stored.contains(secret.reveal()));
        assert!(key.verify(&stored, &secret));
        assert!(!key.verify(&stored, &generate(&SystemEntropy)));
        assert!(!SecretKey::generate(&SystemEntropy).verify(&stored, &secret));
        for broken in ["", "hmac-sha256$", "hmac-sha256$zz", &stored[..20]] {
            assert!(!key.verify(broken, &secret), "{broken}");
        }
    }

    #[test]
    fn generated_secrets_are_as_harbor_wants_them_and_differ() {
        let secrets: Vec<_> = (0..200).map(|_| generate(&SystemEntropy)).collect();
        for (index, secret) in secrets.iter().enumerate() {
            assert!(looks_generated(secret));
            assert!(!looks_generated(&Secret::new(&secret.reveal()[1..])));
            assert_eq!(berth_domain::user::check_password(secret.reveal()), Ok(()));
            assert!(secrets[index + 1..].iter().all(|other| other != secret));
        }
    }

    #[test]
    fn a_csrf_token_belongs_to_its_session() {
        let key = SecretKey::new([7; 32]);
        let (session, other) = (Secret::new("one"), Secret::new("two"));
        let token = key.csrf(&session);
        assert!(key.verify_csrf(&session, &token));
        assert!(!key.verify_csrf(&other, &token) && !SecretKey::new([8; 32]).verify_csrf(&session, &token));
        for broken in ["", "zz", &token[2..]] {
            assert!(!key.verify_csrf(&session, broken), "{broken}");
        }
    }

    #[test]
    fn fingerprints_do_not_meet() {
        let key = SecretKey::new([7; 32]);
        let of = |login: &str, secret: &str| key.fingerprint(login, &Secret::new(secret));
        assert_eq!(of("a", "b"), of("a", "b"));
        assert_ne!(of("a", "bc"), of("ab", "c"));
        assert_ne!(of("a", "b"), SecretKey::new([8; 32]).fingerprint("a", &Secret::new("b")));
    }
}
