//! The running hash of content on its way in, which survives a restart.

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Algorithm, Digest};

/// A hash that has seen some bytes and can be saved and resumed.
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// A hash that has seen nothing.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Box::default()),
        })
    }

    /// The function that is running.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hash) => hash.update(bytes),
            State::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of all bytes seen so far; more may follow.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let (algorithm, hash) = match &self.0 {
            State::Sha256(hash) => (Algorithm::Sha256, hash.clone().finalize().to_vec()),
            State::Sha512(hash) => (Algorithm::Sha512, hash.clone().finalize().to_vec()),
        };
        // The function's output always has the algorithm's length.
        Digest::from_hash(algorithm, &hash).unwrap_or_else(|| unreachable!("hash of a wrong length"))
    }

    /// The state to save: one byte for the algorithm, then the function's own form.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let (code, state) = match &self.0 {
            State::Sha256(hash) => (1, hash.serialize().to_vec()),
            State::Sha512(hash) => (2, hash.serialize().to_vec()),
        };
        let mut saved = vec![code];
        saved.extend(state);
        saved
    }

    /// Reads [`Hasher::save`] back; `None` if it is not one.
    #[must_use]
    pub fn resume(saved: &[u8]) -> Option<Self> {
        let (code, state) = saved.split_first()?;
        match code {
            1 => Some(Self(State::Sha256(Sha256::deserialize(state.try_into().ok()?).ok()?))),
            2 => Some(Self(State::Sha512(Box::new(Sha512::deserialize(state.try_into().ok()?).ok()?)))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continues_after_a_save_at_any_byte() {
        let content: Vec<u8> = (0..1000_u32).map(|n| u8::try_from(n % 251).expect("below 251")).collect();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            for cut in [0, 1, 63, 64, 65, 127, 128, 129, 999, 1000] {
                let mut first = Hasher::new(algorithm);
                first.update(&content[..cut]);
                let mut second = Hasher::resume(&first.save()).expect("own state");
                second.update(&content[cut..]);
                assert_eq!(second.digest(), Digest::of(algorithm, &content));
            }
        }
        assert!(Hasher::resume(b"\x01short").is_none());
        assert!(Hasher::resume(b"").is_none());
    }
}
