//! How a group looks in Harbor's API.

use berth_domain::UserGroup;
use serde::Serialize;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct GroupView<'a> {
    id: i64,
    group_name: &'a str,
    group_type: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    ldap_group_dn: &'a str,
}

/// As much as everybody with an account may know.
#[derive(Debug, Serialize)]
pub(super) struct FoundView<'a> {
    id: i64,
    group_name: &'a str,
    group_type: i64,
}

impl<'a> From<&'a UserGroup> for GroupView<'a> {
    fn from(group: &'a UserGroup) -> Self {
        Self {
            id: group.id.0,
            group_name: &group.name,
            group_type: group.group_type.number(),
            ldap_group_dn: &group.ldap_group_dn,
        }
    }
}

impl<'a> From<&'a UserGroup> for FoundView<'a> {
    fn from(group: &'a UserGroup) -> Self {
        Self { id: group.id.0, group_name: &group.name, group_type: group.group_type.number() }
    }
}
