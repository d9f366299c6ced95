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
    /// The same, said of the other settings of a combination that cannot work: whoever set one of them only did not set this one.
    pub others: Vec<Self>,
}

impl Finding {
    pub(crate) fn new(section: &'static str, key: &'static str, message: impl Into<String>) -> Self {
        Self { section, key, message: message.into(), others: Vec::new() }
    }

    /// The same, said of another setting.
    pub(crate) fn or(mut self, section: &'static str, key: &'static str, message: impl Into<String>) -> Self {
        self.others.push(Self::new(section, key, message));
        self
    }

    /// What is said: of the first setting that somebody set, else of the first.
    pub(crate) fn blame(mut self, is_set: impl Fn(&Self) -> bool) -> Self {
        if is_set(&self) {
            return self;
        }
        match self.others.iter().position(is_set) {
            Some(set) => self.others.swap_remove(set),
            None => self,
        }
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
