//! What is refused, where it stands, and what to write instead.

use std::fmt;

use crate::Origin;

/// One thing that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong with it and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// A value that cannot work, alone or beside others, wherever it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The setting's section.
    pub section: &'static str,
    /// The setting's name.
    pub key: &'static str,
    /// What is wrong with it and what to write instead.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(section: &'static str, key: &'static str, message: impl Into<String>) -> Self {
        Self { section, key, message: message.into() }
    }
}

/// The configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read: {why}", path = path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// The system's words.
        why: String,
    },
    /// Some values are refused: all of them, a line each.
    #[error("{}", lines(.0))]
    Refused(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
