//! Members of projects: users and groups with a role.

use async_trait::async_trait;
use berth_domain::{Member, MemberEntity, MemberId, ProjectId, RoleId, Timestamp, UserId};

use crate::user::Added;
use crate::{Result, Window};

/// By what a list of members is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberOrder {
    /// By number.
    #[default]
    Id,
    /// By the entity's name, in byte order.
    EntityName,
}

/// Looking at members.
#[async_trait]
pub trait MemberReads {
    /// The membership of that number in that project.
    async fn member(&self, project: ProjectId, id: MemberId) -> Result<Option<Member>>;

    /// Some members, whose name has `name_like` in it if that is given, in any case of ASCII letters.
    async fn members(
        &self,
        project: ProjectId,
        name_like: Option<&str>,
        window: Window<MemberOrder>,
    ) -> Result<Vec<Member>>;

    /// How many there are.
    async fn count_members(&self, project: ProjectId, name_like: Option<&str>) -> Result<u64>;

    /// How many members have each role, for a project's summary.
    async fn count_members_by_role(&self, project: ProjectId) -> Result<Vec<(RoleId, u64)>>;

    /// The roles of a user in a project, directly and by group, each once. This is on the way of every first request: one query,
    /// by index, whatever the number of members.
    async fn roles_of(&self, user: UserId, project: ProjectId) -> Result<Vec<RoleId>>;

    /// The projects in which a user has any role, directly or by group, with these roles.
    async fn projects_of(&self, user: UserId) -> Result<Vec<(ProjectId, RoleId)>>;
}

/// Changing members.
#[async_trait]
pub trait MemberWrites {
    /// Makes a member, if the entity has no role in the project yet. [`crate::Error::Conflict`] if project or entity are not live.
    async fn add_member(
        &mut self,
        project: ProjectId,
        entity: MemberEntity,
        role: RoleId,
        at: Timestamp,
    ) -> Result<Added<MemberId>>;

    /// Gives a member another role. Whether it was there.
    async fn set_member_role(
        &mut self,
        project: ProjectId,
        id: MemberId,
        role: RoleId,
        at: Timestamp,
    ) -> Result<bool>;

    /// Removes a member. Whether it was there.
    async fn remove_member(&mut self, project: ProjectId, id: MemberId) -> Result<bool>;
}
