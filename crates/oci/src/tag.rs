//! Tags: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (distribution-spec, "Pulling manifests").

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::digest::printable;
use crate::name::prints_as_text;

/// The longest tag.
pub const LONGEST_TAG: usize = 128;

/// A movable name for a manifest within a repository.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(s: &str) -> Result<Self, TagError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let valid = s.len() <= LONGEST_TAG
            && s.bytes().next().is_some_and(word)
            && s.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        if valid { Ok(Self(s.into())) } else { Err(TagError(printable(s))) }
    }
}

prints_as_text!(Tag);

/// The string is no tag; the words are for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tag: use 1 to 128 letters, digits, `_`, `.` or `-`, not starting with `.` or `-`")]
pub struct TagError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_grammar() {
        let (longest, too_long) = ("a".repeat(128), "a".repeat(129));
        for good in ["latest", "1", "_x", "v1.2-rc_3", "A", longest.as_str()] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        for bad in ["", ".x", "-x", "a b", "a/b", "a:b", "é", "a\n", too_long.as_str()] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }
}
