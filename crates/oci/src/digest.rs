//! Digests: the name of content (image-spec, "Digests").

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Hasher;

/// The hash functions that name content here: the two that the image-spec registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the hash in bytes.
    #[must_use]
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The byte that stands for the algorithm in [`Digest::to_bytes`].
    const fn code(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = DigestError;

    fn from_str(s: &str) -> Result<Self, DigestError> {
        match s {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(DigestError::Algorithm(printable(s))),
        }
    }
}

/// `algorithm:hex`, lower-case, of the length the algorithm demands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    /// The hash, followed by zeros up to 64.
    hash: [u8; 64],
}

impl Digest {
    /// The digest of `content`.
    #[must_use]
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(content);
        hasher.digest()
    }

    /// The SHA-256 digest of `content`.
    #[must_use]
    pub fn sha256(content: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, content)
    }

    /// Wraps a raw hash; `None` unless its length is the algorithm's.
    #[must_use]
    pub fn from_hash(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        let mut hash = [0; 64];
        if raw.len() != algorithm.hash_len() {
            return None;
        }
        hash[..raw.len()].copy_from_slice(raw);
        Some(Self { algorithm, hash })
    }

    /// The algorithm before the colon.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw hash.
    #[must_use]
    pub fn hash(&self) -> &[u8] {
        &self.hash[..self.algorithm.hash_len()]
    }

    /// The hash in lower-case hex, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.hash())
    }

    /// The compact form for storage: one byte for the algorithm (1 = sha256, 2 = sha512), then the hash.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.algorithm.hash_len());
        bytes.push(self.algorithm.code());
        bytes.extend_from_slice(self.hash());
        bytes
    }

    /// Reads [`Digest::to_bytes`] back; `None` if it is not one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1, hash @ ..] => Self::from_hash(Algorithm::Sha256, hash),
            [2, hash @ ..] => Self::from_hash(Algorithm::Sha512, hash),
            _ => None,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex_buffer = [0_u8; 128];
        let hex = &mut hex_buffer[..2 * self.algorithm.hash_len()];
        // The buffer has exactly the length that encoding needs, and hex is ASCII.
        hex::encode_to_slice(self.hash(), hex).map_err(|_| fmt::Error)?;
        write!(f, "{}:{}", self.algorithm, std::str::from_utf8(hex).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(s: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = s.split_once(':').ok_or_else(|| DigestError::Form(printable(s)))?;
        let algorithm: Algorithm = algorithm.parse()?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if encoded.len() != 2 * algorithm.hash_len() || !encoded.bytes().all(lower_hex) {
            return Err(DigestError::Encoded { algorithm, characters: 2 * algorithm.hash_len() });
        }
        let mut hash = [0; 64];
        hex::decode_to_slice(encoded, &mut hash[..algorithm.hash_len()])
            .map_err(|_| DigestError::Encoded { algorithm, characters: 2 * algorithm.hash_len() })?;
        Ok(Self { algorithm, hash })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Why a string is no digest; the words are for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no colon.
    #[error("`{0}` is not a digest: write algorithm:hex, for example sha256: and 64 hex digits")]
    Form(String),
    /// The algorithm is not known here.
    #[error("digest algorithm `{0}` is not supported: use sha256 or sha512")]
    Algorithm(String),
    /// The encoded part has the wrong length or characters.
    #[error("a {algorithm} digest has exactly {characters} lower-case hex digits after the colon")]
    Encoded {
        /// The algorithm that was named.
        algorithm: Algorithm,
        /// The number of hex digits it demands.
        characters: usize,
    },
}

/// A short, printable form of untrusted input for a message.
pub(crate) fn printable(s: &str) -> String {
    const LONGEST: usize = 80;
    let mut short: String =
        s.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if s.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_both_algorithms() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = Digest::of(algorithm, b"berth");
            assert_eq!(digest.to_string().parse(), Ok(digest));
            assert_eq!(Digest::from_bytes(&digest.to_bytes()), Some(digest));
        }
    }

    #[test]
    fn refuses_case_length_and_algorithm() {
        let good = Digest::sha256(b"").to_string();
        assert!(good.parse::<Digest>().is_ok());
        assert!(good.to_uppercase().parse::<Digest>().is_err());
        assert!(good.replace("sha256:e3", "sha256:E3").parse::<Digest>().is_err());
        assert!(good[..good.len() - 1].parse::<Digest>().is_err());
        assert!(format!("{good}0").parse::<Digest>().is_err());
        assert!("md5:d41d8cd98f00b204e9800998ecf8427e".parse::<Digest>().is_err());
        assert!("sha256:baddigeststring".parse::<Digest>().is_err());
        assert!("latest".parse::<Digest>().is_err());
    }
}
