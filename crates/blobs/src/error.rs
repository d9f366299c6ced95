//! Why storage could not do what it was asked.

use std::io;

use berth_domain::Location;

/// What went wrong, in the terms in which callers act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no bytes at the location. Said only while storage as a whole is there.
    #[error("nothing is stored at {0}")]
    Missing(Location),
    /// The bytes at the location are not as many as they must be, or cannot be read back although storage otherwise answers: one read
    /// that failed is not enough to say so.
    #[error("what is stored at {0} is damaged: {1}")]
    Corrupt(Location, String),
    /// The disk, volume or bucket has no room left, or its quota is used up.
    #[error("storage is full")]
    Full(#[source] io::Error),
    /// Storage refuses writes: mounted read-only, or the process lacks the permission.
    #[error("storage cannot be written to")]
    ReadOnly(#[source] io::Error),
    /// The process has no file descriptors or memory left; it passes.
    #[error("storage is busy: out of file descriptors or memory")]
    Exhausted(#[source] io::Error),
    /// The process lacks the permission to read something; the source says what, and where it lies.
    #[error("storage may not be read")]
    Denied(#[source] io::Error),
    /// The directory, volume or bucket itself does not answer, or is not the one that it was: nothing is known of what it holds.
    #[error("storage does not answer: is its volume mounted?")]
    Away(#[source] io::Error),
    /// Anything else that storage says.
    #[error("storage failed")]
    Io(#[source] io::Error),
}

impl Error {
    /// The same once more, for somebody else who waits for the same.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Missing(location) => Self::Missing(location.clone()),
            Self::Corrupt(location, why) => Self::Corrupt(location.clone(), why.clone()),
            Self::Full(source) => Self::Full(again(source)),
            Self::ReadOnly(source) => Self::ReadOnly(again(source)),
            Self::Exhausted(source) => Self::Exhausted(again(source)),
            Self::Denied(source) => Self::Denied(again(source)),
            Self::Away(source) => Self::Away(again(source)),
            Self::Io(source) => Self::Io(again(source)),
        }
    }
}

fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_can_be_told_twice() {
        let source = || io::Error::from_raw_os_error(28);
        let location = || Location::new("file:somewhere");
        let words = || io::Error::new(io::ErrorKind::InvalidInput, "words of ours");
        let all = [
            Error::Missing(location()),
            Error::Corrupt(location(), "it is short".to_owned()),
            Error::Full(source()),
            Error::ReadOnly(source()),
            Error::Exhausted(source()),
            Error::Denied(source()),
            Error::Away(source()),
            Error::Io(words()),
        ];
        for error in all {
            let again = error.again();
            assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(&error));
            assert_eq!(again.to_string(), error.to_string());
            assert_eq!(again.source().map(ToString::to_string), error.source().map(ToString::to_string));
        }
    }
}
