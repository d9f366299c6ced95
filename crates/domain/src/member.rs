//! Members: who has which role in a project.

use crate::{GroupId, ProjectId, RoleId, UserId};

/// A membership's number: small, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub i64);

/// Who can be a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberEntity {
    /// One user.
    User(UserId),
    /// Everybody in a group.
    Group(GroupId),
}

/// One membership. An entity has at most one in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub id: MemberId,
    /// The project.
    pub project: ProjectId,
    /// Who.
    pub entity: MemberEntity,
    /// The entity's name.
    pub entity_name: String,
    /// What they may do.
    pub role: RoleId,
}

impl MemberEntity {
    /// The letter in Harbor's API: `u` or `g`.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::User(_) => "u",
            Self::Group(_) => "g",
        }
    }

    /// The number of the user or the group.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::User(id) => id.0,
            Self::Group(id) => id.0,
        }
    }

    /// Reads [`MemberEntity::letter`] and [`MemberEntity::number`] back.
    #[must_use]
    pub fn from_parts(letter: &str, number: i64) -> Option<Self> {
        match letter {
            "u" => Some(Self::User(UserId(number))),
            "g" => Some(Self::Group(GroupId(number))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_back() {
        for entity in [MemberEntity::User(UserId(7)), MemberEntity::Group(GroupId(7))] {
            assert_eq!(MemberEntity::from_parts(entity.letter(), entity.number()), Some(entity));
        }
        assert_eq!(MemberEntity::from_parts("x", 7), None);
    }
}
