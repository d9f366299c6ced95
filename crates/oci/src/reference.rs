//! What names a manifest within a repository: a tag or a digest, nothing else.

use std::fmt;
use std::str::FromStr;

use crate::digest::DigestError;
use crate::tag::TagError;
use crate::{Digest, Tag};

/// A tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A movable name.
    Tag(Tag),
    /// The content itself.
    Digest(Digest),
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(s: &str) -> Result<Self, ReferenceError> {
        if s.contains(':') { Ok(Self::Digest(s.parse()?)) } else { Ok(Self::Tag(s.parse()?)) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// Why a string names no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It has a colon but is no digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It has no colon and is no tag.
    #[error(transparent)]
    Tag(#[from] TagError),
}
