//! The forms in which passwords are kept: Berth's own, and those that come with accounts from Harbor.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac_array;
use sha1::Sha1;
use sha2::Sha256;

/// A password as the database keeps it, in one text.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredPassword {
    /// `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    Argon2(String),
    /// `harbor$version$salt$hash`, as read from Harbor's tables.
    Harbor(HarborHash),
}

/// A hash from Harbor: PBKDF2 with 16 bytes of output in hexadecimal, and the salt's text taken as its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct HarborHash {
    version: String,
    salt: String,
    hash: [u8; 16],
    text: String,
}

impl StoredPassword {
    /// Reads what the database keeps; `None` if it is no form that is known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$argon2") {
            return Some(Self::Argon2(text.to_owned()));
        }
        let mut parts = text.strip_prefix("harbor$")?.splitn(3, '$');
        let (version, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        HarborHash::new(version, salt, hash).map(Self::Harbor)
    }

    /// The text for the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Argon2(phc) => phc,
            Self::Harbor(harbor) => &harbor.text,
        }
    }
}

impl HarborHash {
    /// Takes over columns of Harbor's tables; `None` if the hash is not 32 hexadecimal digits or the salt is missing.
    #[must_use]
    pub fn new(version: &str, salt: &str, hash: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(hash, &mut bytes).ok()?;
        if salt.is_empty() || version.contains('$') || salt.contains('$') {
            return None;
        }
        let text = format!("harbor${version}${salt}${}", hash.to_ascii_lowercase());
        Some(Self { version: version.to_owned(), salt: salt.to_owned(), hash: bytes, text })
    }

    /// Whether it is this password's.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let salt = self.salt.as_bytes();
        let computed: [u8; 16] = match self.version.as_str() {
            "sha1" => pbkdf2_hmac_array::<Sha1, 16>(password, salt, 4096),
            "sha256" => pbkdf2_hmac_array::<Sha256, 16>(password, salt, 4096),
            // `pbkdf2_sha256`, and whatever Harbor reads the same way.
            _ => pbkdf2_hmac_array::<Sha256, 16>(password, salt, 600_000),
        };
        same(salt, &computed, &self.hash)
    }
}

/// Compares two hashes in a time that says nothing about them.
fn same(salt: &[u8], left: &[u8], right: &[u8]) -> bool {
    let mac = |bytes: &[u8]| {
        let mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes keys of any length");
        mac.chain_update(bytes)
    };
    mac(left).verify(&mac(right).finalize().into_bytes()).is_ok()
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2(_) => f.write_str("Argon2([secret])"),
            Self::Harbor(harbor) => harbor.fmt(f),
        }
    }
}

impl fmt::Debug for HarborHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HarborHash").field("version", &self.version).finish_non_exhaustive()
    }
}
