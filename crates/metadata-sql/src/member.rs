//! Members of projects.

use async_trait::async_trait;
use berth_domain::{Member, MemberEntity, MemberId, ProjectId, RoleId, Timestamp, UserId};
use berth_metadata::member::{MemberOrder, MemberReads, MemberWrites};
use berth_metadata::{Added, Error, Result, Window};

use crate::SqlMetadata;
use crate::error::corrupt;
use crate::transaction::SqlTransaction;
use crate::value::unsigned;
use crate::window::{BY_ID, BY_NAME, Cut, within};

/// The members `m` of the project `$1` with their names.
macro_rules! named {
    () => {
        " FROM (SELECT m.id, m.project_id, m.entity_type, m.entity_id, COALESCE(u.username, g.name, '') AS name,
                       m.role_id
                FROM project_members m
                LEFT JOIN users u ON m.entity_type = 'u' AND u.id = m.entity_id
                LEFT JOIN user_groups g ON m.entity_type = 'g' AND g.id = m.entity_id
                WHERE m.project_id = $1) AS m"
    };
}

statements! {
    MEMBER = sql!(concat!("SELECT id, project_id, entity_type, entity_id, name, role_id", named!(), " WHERE id = $2"));
    MEMBERS = sql!(concat!(
        "SELECT id, project_id, entity_type, entity_id, name, role_id",
        named!(),
        " WHERE (CAST($2 AS TEXT) IS NULL OR lower(name) LIKE $2 ESCAPE '!')",
        windowed!("$3", "$4", "$5", "id", "name", "id")
    ));
    COUNT_MEMBERS = sql!(concat!(
        "SELECT COUNT(*)",
        named!(),
        " WHERE (CAST($2 AS TEXT) IS NULL OR lower(name) LIKE $2 ESCAPE '!')"
    ));
    COUNT_MEMBERS_BY_ROLE = sql!(
        "SELECT role_id, COUNT(*) FROM project_members WHERE project_id = $1 GROUP BY role_id ORDER BY role_id"
    );
    /// Two look-ups by the entity's index, whatever the number of members.
    ROLES_OF = sql!(
        "SELECT m.role_id FROM project_members m
         WHERE m.entity_type = 'u' AND m.entity_id = $1 AND m.project_id = $2
         UNION
         SELECT m.role_id FROM user_group_members g CROSS JOIN project_members m
         WHERE g.user_id = $1 AND m.entity_type = 'g' AND m.entity_id = g.group_id AND m.project_id = $2
         ORDER BY 1"
    );
    PROJECTS_OF = sql!(
        "SELECT m.project_id, m.role_id FROM project_members m WHERE m.entity_type = 'u' AND m.entity_id = $1
         UNION
         SELECT m.project_id, m.role_id FROM user_group_members g CROSS JOIN project_members m
         WHERE g.user_id = $1 AND m.entity_type = 'g' AND m.entity_id = g.group_id
         ORDER BY 1, 2"
    );
    /// The project and the entity stay as long as the transaction goes on.
    LOCK_PROJECT_FOR_MEMBER = sql!(
        pg: "SELECT id FROM projects WHERE id = $1 AND deleted_at IS NULL FOR SHARE",
        lite: "SELECT id FROM projects WHERE id = $1 AND deleted_at IS NULL",
    );
    LOCK_USER_FOR_MEMBER = sql!(
        pg: "SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL FOR SHARE",
        lite: "SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL",
    );
    LOCK_GROUP_FOR_MEMBER = sql!(
        pg: "SELECT id FROM user_groups WHERE id = $1 FOR KEY SHARE",
        lite: "SELECT id FROM user_groups WHERE id = $1",
    );
    ADD_MEMBER = sql!(
        "INSERT INTO project_members (project_id, entity_type, entity_id, role_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (entity_type, entity_id, project_id) DO NOTHING RETURNING id"
    );
    SET_MEMBER_ROLE =
        sql!("UPDATE project_members SET role_id = $3, updated_at = $4 WHERE project_id = $1 AND id = $2");
    REMOVE_MEMBER = sql!("DELETE FROM project_members WHERE project_id = $1 AND id = $2");
}

type Row = (i64, i64, String, i64, String, i64);

fn member((id, project, letter, number, entity_name, role): Row) -> Result<Member> {
    let entity =
        MemberEntity::from_parts(&letter, number).ok_or_else(|| corrupt("the kind of member", &letter))?;
    Ok(Member { id: MemberId(id), project: ProjectId(project), entity, entity_name, role: RoleId(role) })
}

#[async_trait]
impl MemberReads for SqlMetadata {
    async fn member(&self, project: ProjectId, id: MemberId) -> Result<Option<Member>> {
        let row: Option<Row> = optional!(self, MEMBER, project.0, id.0);
        row.map(member).transpose()
    }

    async fn members(
        &self,
        project: ProjectId,
        name_like: Option<&str>,
        window: Window<MemberOrder>,
    ) -> Result<Vec<Member>> {
        let column = match window.order {
            MemberOrder::Id => BY_ID,
            MemberOrder::EntityName => BY_NAME,
        };
        let Cut { sort, limit, offset } = Cut::of(&window, column);
        let like = name_like.map(within);
        let rows: Vec<Row> = all!(self, MEMBERS, project.0, &like, sort, limit, offset);
        rows.into_iter().map(member).collect()
    }

    async fn count_members(&self, project: ProjectId, name_like: Option<&str>) -> Result<u64> {
        let (count,): (i64,) = one!(self, COUNT_MEMBERS, project.0, name_like.map(within));
        unsigned(count)
    }

    async fn count_members_by_role(&self, project: ProjectId) -> Result<Vec<(RoleId, u64)>> {
        let rows: Vec<(i64, i64)> = all!(self, COUNT_MEMBERS_BY_ROLE, project.0);
        rows.into_iter().map(|(role, count)| Ok((RoleId(role), unsigned(count)?))).collect()
    }

    async fn roles_of(&self, user: UserId, project: ProjectId) -> Result<Vec<RoleId>> {
        let rows: Vec<(i64,)> = all!(self, ROLES_OF, user.0, project.0);
        Ok(rows.into_iter().map(|(role,)| RoleId(role)).collect())
    }

    async fn projects_of(&self, user: UserId) -> Result<Vec<(ProjectId, RoleId)>> {
        let rows: Vec<(i64, i64)> = all!(self, PROJECTS_OF, user.0);
        Ok(rows.into_iter().map(|(project, role)| (ProjectId(project), RoleId(role))).collect())
    }
}

#[async_trait]
impl MemberWrites for SqlTransaction {
    async fn add_member(
        &mut self,
        project: ProjectId,
        entity: MemberEntity,
        role: RoleId,
        at: Timestamp,
    ) -> Result<Added<MemberId>> {
        let lock_entity = match entity {
            MemberEntity::User(_) => LOCK_USER_FOR_MEMBER,
            MemberEntity::Group(_) => LOCK_GROUP_FOR_MEMBER,
        };
        for (lock, id) in [(LOCK_PROJECT_FOR_MEMBER, project.0), (lock_entity, entity.number())] {
            let live: Option<(i64,)> = optional!(self, lock, id);
            live.ok_or(Error::Conflict)?;
        }
        let (letter, number) = (entity.letter(), entity.number());
        let row: Option<(i64,)> =
            optional!(self, ADD_MEMBER, project.0, letter, number, role.0, at.as_micros());
        Ok(row.map_or(Added::Exists, |(id,)| Added::Added(MemberId(id))))
    }

    async fn set_member_role(
        &mut self,
        project: ProjectId,
        id: MemberId,
        role: RoleId,
        at: Timestamp,
    ) -> Result<bool> {
        Ok(execute!(self, SET_MEMBER_ROLE, project.0, id.0, role.0, at.as_micros()) > 0)
    }

    async fn remove_member(&mut self, project: ProjectId, id: MemberId) -> Result<bool> {
        Ok(execute!(self, REMOVE_MEMBER, project.0, id.0) > 0)
    }
}
