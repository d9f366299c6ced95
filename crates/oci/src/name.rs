//! Names of repositories and of the projects they live in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::digest::printable;

/// The longest name that clients can put behind a host: 255 bytes.
pub const LONGEST_NAME: usize = 255;

/// The first path component of a repository, by Harbor's rule: `^[a-z0-9]+(?:[._-][a-z0-9]+)*$`, at most 255 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectName(Arc<str>);

impl ProjectName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectName {
    type Err = NameError;

    fn from_str(s: &str) -> Result<Self, NameError> {
        let separated = |part: &str| part.split(['.', '_', '-']).all(is_alphanumeric);
        if s.len() > LONGEST_NAME {
            return Err(NameError::Long(s.len()));
        }
        if !separated(s) {
            return Err(NameError::Project(printable(s)));
        }
        Ok(Self(s.into()))
    }
}

/// A repository's full name, `project/path…`: the distribution-spec's grammar, at least two components, the first a
/// [`ProjectName`], at most 255 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName {
    name: Arc<str>,
    project: usize,
}

impl RepositoryName {
    /// The full name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The project, its first component.
    #[must_use]
    pub fn project(&self) -> ProjectName {
        ProjectName(self.name[..self.project].into())
    }

    /// What follows the project.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.name[self.project + 1..]
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(s: &str) -> Result<Self, NameError> {
        if s.len() > LONGEST_NAME {
            return Err(NameError::Long(s.len()));
        }
        if !s.split('/').all(is_component) {
            return Err(NameError::Repository(printable(s)));
        }
        let Some((project, _)) = s.split_once('/') else {
            return Err(NameError::NoProject(printable(s)));
        };
        project.parse::<ProjectName>()?;
        Ok(Self { name: s.into(), project: project.len() })
    }
}

/// One component of a name: runs of `[a-z0-9]` joined by `.`, `_`, `__` or any number of `-`.
fn is_component(component: &str) -> bool {
    let mut rest = component;
    loop {
        let run = rest.len()
            - rest.trim_start_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).len();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return true;
        }
        let dashes = rest.len() - rest.trim_start_matches('-').len();
        let separator = match rest.as_bytes() {
            [b'-', ..] => dashes,
            [b'_', b'_', ..] => 2,
            [b'.' | b'_', ..] => 1,
            _ => return false,
        };
        rest = &rest[separator..];
    }
}

fn is_alphanumeric(run: &str) -> bool {
    !run.is_empty() && run.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

macro_rules! prints_as_text {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use prints_as_text;

prints_as_text!(ProjectName);
prints_as_text!(RepositoryName);

/// Why a string is no name; the words are for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Longer than 255 bytes.
    #[error("a name has at most {LONGEST_NAME} characters, this one has {0}: choose a shorter one")]
    Long(usize),
    /// Not the distribution-spec's grammar.
    #[error(
        "`{0}` is not a repository name: use lower-case letters and digits, joined by `.`, `_`, `__` or `-` within a component and by `/` between components"
    )]
    Repository(String),
    /// One component only.
    #[error("`{0}` lacks a project: push to <project>/<name>, for example library/{0}")]
    NoProject(String),
    /// The first component is not a project name.
    #[error(
        "`{0}` is not a project name: use lower-case letters and digits, joined by single `.`, `_` or `-`"
    )]
    Project(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_grammar() {
        for name in
            ["library/hello", "a/b/c", "a/b__c", "a/b---c", "a.b/c_d", "a/blobs/b", "1/2", "x/a.b-c_d__e"]
        {
            let parsed: RepositoryName = name.parse().expect(name);
            assert_eq!(parsed.as_str(), name);
            assert_eq!(format!("{}/{}", parsed.project(), parsed.path()), name);
        }
    }

    #[test]
    fn refuses_the_rest() {
        let long = format!("library/{}", "a".repeat(255));
        for name in [
            "", "/", "a/", "/a", "a//b", "A/b", "a/B", "a/b_", "a/_b", "a/b___c", "a/b..c", "a/b._c", "a/é",
            "a/b c", "a/../b", "a/./b", "a__b/c", "a--b/c", "-a/b", "a/b\0", "a/b%2fc", &long,
        ] {
            assert!(name.parse::<RepositoryName>().is_err(), "{name}");
        }
    }

    #[test]
    fn suggests_library_for_one_component() {
        let error = "hello".parse::<RepositoryName>().expect_err("no project");
        assert!(error.to_string().contains("library/hello"));
    }
}
