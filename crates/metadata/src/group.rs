//! User groups, and who is in them as far as an identity provider has said so.

use async_trait::async_trait;
use berth_domain::{GroupId, GroupType, Timestamp, UserGroup, UserId};

use crate::user::Added;
use crate::{Result, Window};

/// By what a list of groups is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupOrder {
    /// By number.
    #[default]
    Id,
    /// By name, in byte order.
    Name,
}

/// Which groups a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Exactly this name.
    pub name: Option<String>,
    /// This within the name, in any case of ASCII letters.
    pub name_like: Option<String>,
    /// Exactly this distinguished name.
    pub ldap_group_dn: Option<String>,
    /// Of this type.
    pub group_type: Option<GroupType>,
}

/// Looking at groups.
#[async_trait]
pub trait GroupReads {
    /// The group of that number.
    async fn group(&self, id: GroupId) -> Result<Option<UserGroup>>;

    /// Some groups.
    async fn groups(&self, filter: &GroupFilter, window: Window<GroupOrder>) -> Result<Vec<UserGroup>>;

    /// How many groups the filter lets through.
    async fn count_groups(&self, filter: &GroupFilter) -> Result<u64>;

    /// The groups that a user is in.
    async fn groups_of(&self, user: UserId) -> Result<Vec<GroupId>>;
}

/// Changing groups.
#[async_trait]
pub trait GroupWrites {
    /// Makes a group. The name must be free among groups of its type, the distinguished name among directories' groups.
    async fn add_group(
        &mut self,
        group_type: GroupType,
        name: &str,
        ldap_group_dn: &str,
        at: Timestamp,
    ) -> Result<Added<GroupId>>;

    /// Gives the group another name. `Added` holds its number; [`Added::Exists`] if another one has that name.
    async fn rename_group(
        &mut self,
        id: GroupId,
        name: &str,
        at: Timestamp,
    ) -> Result<Option<Added<GroupId>>>;

    /// Removes the group and all memberships that go through it. Whether it was there.
    async fn delete_group(&mut self, id: GroupId) -> Result<bool>;

    /// Sets the groups that a user is in, as an identity provider says at log-in. Groups that do not exist are passed over.
    async fn set_groups_of(&mut self, user: UserId, groups: &[GroupId]) -> Result<()>;
}
