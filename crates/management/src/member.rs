//! Members: who has which role in a project.

use berth_domain::group::check_group;
use berth_domain::{
    Action, GroupId, GroupType, Member, MemberEntity, MemberId, Project, Resource, Role, RoleId, User,
    UserGroup, UserId,
};
use berth_metadata::Transaction;
use berth_metadata::user::Added;

use crate::group::taken;
use crate::guarded::Guarded;
use crate::{Error, GroupFilter, GroupOrder, Listed, MemberOrder, ProjectRef, Result, Window};
use berth_metadata::retry;

/// A member with the name of their role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPage {
    /// The membership.
    pub member: Member,
    /// What the role is called.
    pub role_name: String,
}

/// Who is to become a member. Of what is given, the first in this order counts, as in Harbor: the user's number, the group's
/// number, the user's name, the group's distinguished name, the group's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMember {
    /// What they may do.
    pub role: i64,
    /// A user by number.
    pub user_id: Option<i64>,
    /// A user by name.
    pub username: Option<String>,
    /// A group by number.
    pub group_id: Option<i64>,
    /// A group by name; made if there is none, for which the type is needed.
    pub group_name: Option<String>,
    /// That group's type.
    pub group_type: Option<i64>,
    /// A directory's group by its name there; made if there is none.
    pub ldap_group_dn: Option<String>,
}

/// Who it turned out to be.
enum Found {
    There {
        entity: MemberEntity,
        name: String,
    },
    /// A group that is not there yet.
    New {
        group_type: GroupType,
        name: String,
        ldap_group_dn: String,
    },
}

impl Guarded<'_> {
    /// A page of a project's members; with `name_like` those whose name has that in it.
    pub async fn members(
        &self,
        named: &ProjectRef,
        name_like: Option<&str>,
        window: Window<MemberOrder>,
    ) -> Result<Listed<MemberPage>> {
        let project = self.project_for(named, Resource::Member, Action::List).await?;
        let members = self.metadata().members(project.id, name_like, window).await?;
        let roles = self.metadata().roles().await?;
        let items = members.into_iter().map(|member| page(member, &roles)).collect();
        Ok(Listed { items, total: self.metadata().count_members(project.id, name_like).await? })
    }

    /// One member.
    pub async fn member(&self, named: &ProjectRef, id: MemberId) -> Result<MemberPage> {
        let project = self.project_for(named, Resource::Member, Action::Read).await?;
        let member = self.metadata().member(project.id, id).await?;
        let member = member.ok_or_else(|| Error::not_found("project member", &id.0))?;
        Ok(page(member, &self.metadata().roles().await?))
    }

    /// Gives a user or a group a role.
    pub async fn add_member(&self, named: &ProjectRef, wanted: &NewMember) -> Result<MemberId> {
        let project = self.project_for(named, Resource::Member, Action::Create).await?;
        let role = self.known_role(wanted.role).await?;
        let id = retry!(self.try_add_member(&project, wanted, role).await)?;
        self.management.parts().authority.forget_project(&project.name).await;
        Ok(id)
    }

    async fn try_add_member(&self, project: &Project, wanted: &NewMember, role: RoleId) -> Result<MemberId> {
        let found = self.find_entity(wanted).await?;
        let mut tx = self.begin().await?;
        let (entity, name) = self.entity(tx.as_mut(), found).await?;
        let added = tx.add_member(project.id, entity, role, self.management.now()).await?;
        let Added::Added(id) = added else {
            return Err(Error::exists("project member", &name));
        };
        tx.commit().await?;
        Ok(id)
    }

    /// Gives a member another role.
    pub async fn set_member_role(&self, named: &ProjectRef, id: MemberId, role: RoleId) -> Result<()> {
        let project = self.project_for(named, Resource::Member, Action::Update).await?;
        let role = self.known_role(role.0).await?;
        retry!(self.try_set_role(&project, id, role).await)?;
        self.management.parts().authority.forget_project(&project.name).await;
        Ok(())
    }

    async fn try_set_role(&self, project: &Project, id: MemberId, role: RoleId) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.set_member_role(project.id, id, role, self.management.now()).await? {
            return Err(Error::not_found("project member", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes a role away.
    pub async fn remove_member(&self, named: &ProjectRef, id: MemberId) -> Result<()> {
        let project = self.project_for(named, Resource::Member, Action::Delete).await?;
        retry!(self.try_remove_member(&project, id).await)?;
        self.management.parts().authority.forget_project(&project.name).await;
        Ok(())
    }

    async fn try_remove_member(&self, project: &Project, id: MemberId) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.remove_member(project.id, id).await? {
            return Err(Error::not_found("project member", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    async fn known_role(&self, role: i64) -> Result<RoleId> {
        let roles = self.metadata().roles().await?;
        if roles.iter().chain(Role::harbors()).any(|known| known.id.0 == role) {
            return Ok(RoleId(role));
        }
        let known: Vec<_> = roles.iter().map(|role| format!("{} ({})", role.id.0, role.name)).collect();
        Err(Error::invalid(format!("role_id must be one of {}", known.join(", "))))
    }

    async fn find_entity(&self, wanted: &NewMember) -> Result<Found> {
        if let Some(id) = given_number(wanted.user_id) {
            let user = self.metadata().user(UserId(id)).await?;
            let user = user.ok_or_else(|| Error::invalid(format!("user {id} is not found")))?;
            return Ok(Found::user(user));
        }
        if let Some(id) = given_number(wanted.group_id) {
            let group = self.metadata().group(GroupId(id)).await?;
            let group = group.ok_or_else(|| Error::invalid(format!("group {id} is not found")))?;
            return Ok(Found::group(group));
        }
        if let Some(name) = given(wanted.username.as_deref()) {
            let user = self.metadata().user_credentials(name).await?;
            let user = user.ok_or_else(|| Error::not_found("user", &name))?;
            return Ok(Found::user(user.user));
        }
        self.find_group(wanted).await
    }

    async fn find_group(&self, wanted: &NewMember) -> Result<Found> {
        let name = given(wanted.group_name.as_deref());
        let dn = given(wanted.ldap_group_dn.as_deref());
        let group_type = match (dn, given_number(wanted.group_type)) {
            (Some(_), _) => Some(GroupType::Ldap),
            (None, Some(number)) => Some(GroupType::from_number(number)?),
            (None, None) => None,
        };
        let filter = match (dn, name) {
            (Some(dn), _) => GroupFilter { ldap_group_dn: Some(dn.to_owned()), ..GroupFilter::default() },
            (None, Some(name)) => {
                GroupFilter { name: Some(name.to_owned()), group_type, ..GroupFilter::default() }
            }
            (None, None) => return Err(Error::invalid(WHO)),
        };
        let window = Window { order: GroupOrder::Id, descending: false, offset: 0, limit: 2 };
        let mut groups = self.metadata().groups(&filter, window).await?;
        if let (Some(group), true) = (groups.pop(), groups.is_empty()) {
            return Ok(Found::group(group));
        }
        let group_type = group_type.ok_or_else(|| Error::invalid(TYPE))?;
        let (name, ldap_group_dn) = (name.or(dn).unwrap_or_default(), dn.unwrap_or_default());
        check_group(group_type, name, ldap_group_dn)?;
        Ok(Found::New { group_type, name: name.to_owned(), ldap_group_dn: ldap_group_dn.to_owned() })
    }

    /// The entity and its name, made now if it is a new group.
    async fn entity(&self, tx: &mut dyn Transaction, found: Found) -> Result<(MemberEntity, String)> {
        match found {
            Found::There { entity, name } => Ok((entity, name)),
            Found::New { group_type, name, ldap_group_dn } => {
                match tx.add_group(group_type, &name, &ldap_group_dn, self.management.now()).await? {
                    Added::Added(id) => Ok((MemberEntity::Group(id), name)),
                    Added::Exists => Err(taken(group_type, &name)),
                }
            }
        }
    }
}

impl Found {
    fn user(user: User) -> Self {
        Self::There { entity: MemberEntity::User(user.id), name: user.username }
    }

    fn group(group: UserGroup) -> Self {
        Self::There { entity: MemberEntity::Group(group.id), name: group.name }
    }
}

const WHO: &str = "member_user or member_group must name a user or a group";
const TYPE: &str = "member_group.group_type must say which group is meant: 1 (LDAP), 2 (HTTP) or 3 (OIDC)";

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn given_number(number: Option<i64>) -> Option<i64> {
    number.filter(|number| *number != 0)
}

fn page(member: Member, roles: &[Role]) -> MemberPage {
    let role = roles.iter().chain(Role::harbors()).find(|role| role.id == member.role);
    let role_name = role.map(|role| role.name.clone()).unwrap_or_default();
    MemberPage { member, role_name }
}
