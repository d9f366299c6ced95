//! Opaque tokens: refresh tokens and session ids. Random, kept as their hash only, revocable because the row can go.

use berth_domain::Entropy;
use sha2::{Digest, Sha256};

use crate::Secret;

/// How an opaque token is found in the database: the SHA-256 of its text. Nothing more is needed, because it has 256 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpaqueHash(pub [u8; 32]);

/// A new token: its text for the bearer, its hash for the database.
#[must_use]
pub fn generate(entropy: &dyn Entropy) -> (Secret, OpaqueHash) {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let text = hex::encode(bytes);
    let hash = OpaqueHash(Sha256::digest(&text).into());
    (Secret::new(text), hash)
}

/// The hash of what a bearer presents; `None` if it cannot be a token from here.
#[must_use]
pub fn hash(text: &str) -> Option<OpaqueHash> {
    let ours = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| OpaqueHash(Sha256::digest(text).into()))
}

#[cfg(test)]
mod tests {
    use berth_domain::SystemEntropy;

    use super::*;

    #[test]
    fn a_token_is_found_by_its_text() {
        let (text, kept) = generate(&SystemEntropy);
        assert_eq!(hash(text.reveal()), Some(kept));
        assert_ne!(generate(&SystemEntropy).1, kept);
        for other in ["", &text.reveal().to_uppercase(), &text.reveal()[1..], &"x".repeat(1 << 20)] {
            assert_ne!(hash(other), Some(kept));
        }
    }
}
