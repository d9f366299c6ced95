//! The file system's errors in the port's terms.

use std::io;

use berth_blobs::Error;
use rustix::io::Errno;

use crate::layout::Name;

/// What an error means while the bytes of `name` are written, published or removed.
pub(crate) fn writing(name: Name, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(name.location()),
        _ => in_directory(error),
    }
}

/// What an error means while the bytes of `name` are read. Only what says that the bytes are gone or damaged condemns them.
pub(crate) fn reading(name: Name, error: io::Error) -> Error {
    let damaged = |why: &str| Error::Corrupt(name.location(), why.to_owned());
    match (error.kind(), Errno::from_io_error(&error)) {
        (io::ErrorKind::NotFound, _) => Error::Missing(name.location()),
        (io::ErrorKind::UnexpectedEof, _) => damaged("it is shorter than it must be"),
        (_, Some(Errno::IO)) => damaged("it cannot be read back from the disk"),
        _ => exhausted(error),
    }
}

/// What an error means that has nothing to do with one blob.
pub(crate) fn in_directory(error: io::Error) -> Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NOSPC | Errno::DQUOT) => Error::Full(error),
        Some(Errno::ROFS | Errno::ACCESS | Errno::PERM) => Error::ReadOnly(error),
        _ => exhausted(error),
    }
}

fn exhausted(error: io::Error) -> Error {
    match Errno::from_io_error(&error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => Error::Exhausted(error),
        _ => Error::Io(error),
    }
}
