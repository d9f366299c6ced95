//! The file system's errors in the port's terms.

use std::io;
use std::path::Path;

use berth_blobs::Error;
use rustix::io::Errno;

use crate::layout::Name;

/// What a disk or a file system says of bytes that it cannot give back. It says the same when it fails as a whole.
const UNREADABLE: [Errno; 6] =
    [Errno::IO, Errno::UCLEAN, Errno::BADMSG, Errno::NODATA, Errno::REMOTEIO, Errno::ILSEQ];

/// What is said only of a whole volume: its server, its device or the program behind it is gone.
const AWAY: [Errno; 13] = [
    Errno::STALE,
    Errno::TIMEDOUT,
    Errno::NOTCONN,
    Errno::SHUTDOWN,
    Errno::HOSTDOWN,
    Errno::HOSTUNREACH,
    Errno::NETDOWN,
    Errno::NETUNREACH,
    Errno::CONNREFUSED,
    Errno::CONNRESET,
    Errno::NODEV,
    Errno::NXIO,
    Errno::NOMEDIUM,
];

/// What a process lacks for a while.
const EXHAUSTED: [Errno; 3] = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];

/// What an error means while the bytes of `name` are written, published or removed.
pub(crate) fn writing(name: Name, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(name.location()),
        _ => in_directory(error),
    }
}

/// Whether an error would mean that the bytes are not there or damaged, if storage as a whole were well.
pub(crate) fn condemns(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || is_any(error, &UNREADABLE)
}

/// What an error means that [`condemns`] the bytes of `name` after all.
pub(crate) fn condemned(name: Name, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(name.location()),
        _ => Error::Corrupt(name.location(), format!("it cannot be read back: {error}")),
    }
}

/// What an error means while the bytes of `name` are read, which lie at `path`. Only what says that they are gone or damaged condemns
/// them.
pub(crate) fn reading(name: Name, path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(name.location()),
        io::ErrorKind::UnexpectedEof => {
            Error::Corrupt(name.location(), "it is shorter than it must be".to_owned())
        }
        io::ErrorKind::PermissionDenied => {
            Error::Denied(io::Error::new(error.kind(), format!("{}, {}", name.location(), at(path, error))))
        }
        _ => looking(path, error),
    }
}

/// What an error means while something is read that is no blob.
pub(crate) fn looking(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::Denied(at(path, error)),
        _ if is_any(error, &AWAY) => Error::Away(at(path, error)),
        _ if is_any(error, &EXHAUSTED) => Error::Exhausted(at(path, error)),
        _ => Error::Io(at(path, error)),
    }
}

/// What an error means that has nothing to do with one blob.
pub(crate) fn in_directory(error: io::Error) -> Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NOSPC | Errno::DQUOT) => Error::Full(error),
        Some(Errno::ROFS | Errno::ACCESS | Errno::PERM) => Error::ReadOnly(error),
        Some(errno) if AWAY.contains(&errno) => Error::Away(error),
        Some(errno) if EXHAUSTED.contains(&errno) => Error::Exhausted(error),
        _ => Error::Io(error),
    }
}

/// The same error, which says where it happened.
pub(crate) fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn is_any(error: &io::Error, of: &[Errno]) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| of.contains(&errno))
}
