//! Where everything lies below the root, and the names of it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use berth_blobs::{Error, Location};
use berth_domain::Entropy;
use uuid::Uuid;

/// The random name of one blob, from its first byte to its last: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(Uuid);

/// How a location of this adapter begins.
const SCHEME: &str = "file:";

impl Name {
    /// A name that was never used and never will be.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.uuid())
    }

    /// The name behind a location. One that another adapter made is an error, and not missing bytes.
    pub(crate) fn of(location: &Location) -> Result<Self, Error> {
        location.as_str().strip_prefix(SCHEME).and_then(Self::parse).ok_or_else(|| {
            let message = format!("{location} is not a location of this storage");
            Error::Io(io::Error::new(io::ErrorKind::InvalidInput, message))
        })
    }

    /// A file's name, if it is one that this adapter gives.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let name = Self(Uuid::try_parse(text).ok()?);
        (name.to_string() == text).then_some(name)
    }

    /// The location that the database keeps.
    pub(crate) fn location(self) -> Location {
        Location::new(format!("{SCHEME}{self}"))
    }

    /// Which of the 256 directories a blob of this name lies in.
    pub(crate) fn fan_out(self) -> u8 {
        self.0.as_bytes()[0]
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// Everything that has a place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    /// The directory that holds everything.
    Root,
    /// The directory of published blobs.
    Blobs,
    /// One of the directories in it.
    FanOut(u8),
    /// A published blob.
    Blob(Name),
    /// The directory of unfinished uploads.
    Uploads,
    /// An unfinished upload.
    Upload(Name),
    /// The file that readiness checks write and remove.
    Probe,
    /// The file that names the installation.
    Mark,
    /// The same while it is written.
    NewMark(Name),
}

/// The name of the file that says whose directory it is.
pub const MARK: &str = "installation";

/// The tree:
///
/// ```text
/// <root>/
/// ├── blobs/              published: whole, synced, 0440
/// │   └── 3f/             the first two digits of the names in it; made on demand
/// │       └── 3f0c…       one blob
/// ├── uploads/            not finished, or being put
/// │   └── 3f0c…           the same name as it will have when published
/// ├── installation        whose blobs these are
/// └── probe               only while a readiness check writes it
/// ```
///
/// Both directories are on one volume, so that publishing is one rename.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The one function that builds paths.
    pub(crate) fn path(&self, entry: Entry) -> PathBuf {
        match entry {
            Entry::Blobs => self.root.join("blobs"),
            Entry::FanOut(digits) => self.root.join(format!("blobs/{digits:02x}")),
            Entry::Blob(name) => self.root.join(format!("blobs/{:02x}/{name}", name.fan_out())),
            Entry::Uploads => self.root.join("uploads"),
            Entry::Upload(name) => self.root.join(format!("uploads/{name}")),
            Entry::Probe => self.root.join("probe"),
            Entry::Root => self.root.clone(),
            Entry::Mark => self.root.join(MARK),
            Entry::NewMark(name) => self.root.join(format!("{MARK}-{name}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_locations_are_names() {
        let name = Name::parse("3f0c9a51e2b84d3c8a7f00112233445f").unwrap();
        assert_eq!(name.location().as_str(), "file:3f0c9a51e2b84d3c8a7f00112233445f");
        assert_eq!(Name::of(&name.location()).unwrap(), name);
        let path = Layout::new(Path::new("/data")).path(Entry::Blob(name));
        assert_eq!(path, Path::new("/data/blobs/3f/3f0c9a51e2b84d3c8a7f00112233445f"));
        for foreign in [
            "",
            "file:",
            "file:../../etc/passwd",
            "file:3F0C9A51E2B84D3C8A7F00112233445F",
            "file:3f0c9a51-e2b8-4d3c-8a7f-00112233445f",
            "s3:3f0c9a51e2b84d3c8a7f00112233445f",
            "3f0c9a51e2b84d3c8a7f00112233445f",
        ] {
            assert!(matches!(Name::of(&Location::new(foreign)), Err(Error::Io(_))), "{foreign}");
        }
    }
}
