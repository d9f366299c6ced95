//! User groups: names that identity providers give to users, and projects give roles to.

use berth_domain::group::check_group;
use berth_domain::{Action, GroupId, GroupType, Resource, UserGroup};
use berth_metadata::user::Added;

use crate::guarded::Guarded;
use crate::{Error, GroupFilter, GroupOrder, Listed, Result, Window};
use berth_metadata::retry;

impl Guarded<'_> {
    /// Makes a group.
    pub async fn create_group(&self, group_type: i64, name: &str, ldap_group_dn: &str) -> Result<GroupId> {
        self.check(Resource::UserGroup, Action::Create).await?;
        let group_type = GroupType::from_number(group_type)?;
        check_group(group_type, name, ldap_group_dn)?;
        retry!(self.add_group(group_type, name, ldap_group_dn).await)
    }

    async fn add_group(&self, group_type: GroupType, name: &str, ldap_group_dn: &str) -> Result<GroupId> {
        let mut tx = self.begin().await?;
        let added = tx.add_group(group_type, name, ldap_group_dn, self.management.now()).await?;
        let Added::Added(id) = added else { return Err(taken(group_type, name)) };
        tx.commit().await?;
        Ok(id)
    }

    /// A page of the groups.
    pub async fn groups(
        &self,
        filter: &GroupFilter,
        window: Window<GroupOrder>,
    ) -> Result<Listed<UserGroup>> {
        self.check(Resource::UserGroup, Action::List).await?;
        self.listed_groups(filter, window).await
    }

    /// A page of the groups with this in their name, for everybody who has an account; without distinguished names.
    pub async fn search_groups(&self, name: &str, window: Window<GroupOrder>) -> Result<Listed<UserGroup>> {
        self.check_account(Resource::UserGroup, Action::List).await?;
        let filter = GroupFilter { name_like: Some(name.to_owned()), ..GroupFilter::default() };
        let mut found = self.listed_groups(&filter, window).await?;
        found.items.iter_mut().for_each(|group| group.ldap_group_dn.clear());
        Ok(found)
    }

    async fn listed_groups(
        &self,
        filter: &GroupFilter,
        window: Window<GroupOrder>,
    ) -> Result<Listed<UserGroup>> {
        let items = self.metadata().groups(filter, window).await?;
        Ok(Listed { items, total: self.metadata().count_groups(filter).await? })
    }

    /// One group.
    pub async fn group(&self, id: GroupId) -> Result<UserGroup> {
        self.check(Resource::UserGroup, Action::Read).await?;
        self.metadata().group(id).await?.ok_or_else(|| Error::not_found("group", &id.0))
    }

    /// Gives a group another name; its type and its distinguished name stay.
    pub async fn rename_group(&self, id: GroupId, name: &str) -> Result<()> {
        self.check(Resource::UserGroup, Action::Update).await?;
        let group = self.metadata().group(id).await?.ok_or_else(|| Error::not_found("group", &id.0))?;
        check_group(group.group_type, name, &group.ldap_group_dn)?;
        retry!(self.set_group_name(id, name).await)
    }

    async fn set_group_name(&self, id: GroupId, name: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        match tx.rename_group(id, name, self.management.now()).await? {
            None => return Err(Error::not_found("group", &id.0)),
            Some(Added::Exists) => return Err(Error::exists("group", &name)),
            Some(Added::Added(_)) => tx.commit().await?,
        }
        Ok(())
    }

    /// Takes a group away, and the roles that it gave.
    pub async fn delete_group(&self, id: GroupId) -> Result<()> {
        self.check(Resource::UserGroup, Action::Delete).await?;
        retry!(self.remove_group(id).await)?;
        self.management.parts().authority.forget_groups().await;
        Ok(())
    }

    async fn remove_group(&self, id: GroupId) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.delete_group(id).await? {
            return Err(Error::not_found("group", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Why there cannot be a second group like this: names are unique among groups of a type, distinguished names among directories'.
pub(crate) fn taken(group_type: GroupType, name: &str) -> Error {
    let what = match group_type {
        GroupType::Ldap => "a group with the name or the ldap_group_dn of",
        GroupType::Http | GroupType::Oidc => "group",
    };
    Error::exists(what, &name)
}
