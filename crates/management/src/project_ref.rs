//! How a project is named in a request: by number or by name.

use std::fmt;

use berth_domain::ProjectId;
use berth_oci::ProjectName;

use crate::error::cut;

/// A project that may be there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectRef {
    /// By its number.
    Id(ProjectId),
    /// By its name.
    Name(ProjectName),
    /// By what no project can be called.
    Nothing(String),
}

impl ProjectRef {
    /// Reads a project as Harbor does: a number is one unless `as_name` says that names are given.
    #[must_use]
    pub fn parse(text: &str, as_name: bool) -> Self {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits && !as_name {
            return text.parse().map_or_else(|_| Self::Nothing(cut(text)), |id| Self::Id(ProjectId(id)));
        }
        text.parse().map_or_else(|_| Self::Nothing(cut(text)), Self::Name)
    }
}

impl fmt::Display for ProjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{}", id.0),
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Nothing(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_unless_names_are_given() {
        assert_eq!(ProjectRef::parse("7", false), ProjectRef::Id(ProjectId(7)));
        assert_eq!(ProjectRef::parse("7", true), ProjectRef::Name("7".parse().unwrap()));
        assert_eq!(ProjectRef::parse("team", false), ProjectRef::Name("team".parse().unwrap()));
        for nothing in ["", "No Name!", "-1", "99999999999999999999"] {
            assert!(matches!(ProjectRef::parse(nothing, false), ProjectRef::Nothing(_)), "{nothing}");
        }
    }
}
