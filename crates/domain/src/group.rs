//! User groups: a name that an identity provider gives to users, and that projects give roles to.

use crate::unseen::is_unseen;

/// A group's number: small, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub i64);

/// Who says who is in a group. The numbers are those of Harbor's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupType {
    /// A directory.
    Ldap = 1,
    /// A proxy in front.
    Http = 2,
    /// An OIDC provider.
    Oidc = 3,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserGroup {
    /// Its number.
    pub id: GroupId,
    /// Its name; unique among groups of its type.
    pub name: String,
    /// Who says who is in it.
    pub group_type: GroupType,
    /// Its distinguished name; empty unless it is a directory's.
    pub ldap_group_dn: String,
}

/// Why a group is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// Not 1, 2 or 3.
    #[error("group_type must be 1 (LDAP), 2 (HTTP) or 3 (OIDC)")]
    Type,
    /// Empty, too long, or with characters that nobody sees.
    #[error("group_name must be 1 to 255 bytes long, without control or invisible characters")]
    Name,
    /// A directory's group without a name there.
    #[error(
        "ldap_group_dn must be given for an LDAP group, at most 512 bytes long, without control or invisible characters"
    )]
    DistinguishedName,
}

impl GroupType {
    /// The number in Harbor's API.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// Reads [`GroupType::number`] back.
    pub fn from_number(number: i64) -> Result<Self, GroupError> {
        let known = [Self::Ldap, Self::Http, Self::Oidc].into_iter().find(|known| known.number() == number);
        known.ok_or(GroupError::Type)
    }
}

/// Whether such a group can be kept.
pub fn check_group(group_type: GroupType, name: &str, ldap_group_dn: &str) -> Result<(), GroupError> {
    if name.trim().is_empty() || name.len() > 255 || name.contains(is_unseen) {
        return Err(GroupError::Name);
    }
    let named = !ldap_group_dn.is_empty() || group_type != GroupType::Ldap;
    if !named || ldap_group_dn.len() > 512 || ldap_group_dn.contains(is_unseen) {
        return Err(GroupError::DistinguishedName);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_checked() {
        assert_eq!(GroupType::from_number(3), Ok(GroupType::Oidc));
        assert_eq!(GroupType::from_number(0), Err(GroupError::Type));
        assert_eq!(GroupType::from_number(4), Err(GroupError::Type));
        assert_eq!(check_group(GroupType::Oidc, "developers", ""), Ok(()));
        assert_eq!(check_group(GroupType::Oidc, "", ""), Err(GroupError::Name));
        for unseen in ["a\tb", "develop\u{2060}ers", "\u{202e}sreder"] {
            assert_eq!(check_group(GroupType::Oidc, unseen, ""), Err(GroupError::Name), "{unseen:?}");
        }
        assert_eq!(check_group(GroupType::Oidc, &"g".repeat(255), ""), Ok(()));
        assert_eq!(check_group(GroupType::Oidc, &"g".repeat(256), ""), Err(GroupError::Name));
        let named = |length: usize| check_group(GroupType::Ldap, "developers", &"d".repeat(length));
        assert_eq!(named(512), Ok(()));
        assert_eq!(named(513), Err(GroupError::DistinguishedName));
        assert_eq!(check_group(GroupType::Ldap, "developers", ""), Err(GroupError::DistinguishedName));
        assert_eq!(check_group(GroupType::Ldap, "developers", "cn=dev,dc=example"), Ok(()));
    }
}
