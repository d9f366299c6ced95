//! User groups, and who is in them.

use async_trait::async_trait;
use berth_domain::{GroupId, GroupType, Timestamp, UserGroup, UserId};
use berth_metadata::group::{GroupFilter, GroupOrder, GroupReads, GroupWrites};
use berth_metadata::{Added, Result, Window};

use crate::error::corrupt;
use crate::transaction::SqlTransaction;
use crate::value::unsigned;
use crate::window::{BY_ID, BY_NAME, Cut, exactly, within};
use crate::{SqlMetadata, batch};

macro_rules! columns {
    () => {
        "id, name, group_type, ldap_group_dn"
    };
}

/// The groups that a filter lets through; each parameter restricts unless it is null.
macro_rules! filtered {
    () => {
        " FROM user_groups
          WHERE (CAST($1 AS TEXT) IS NULL OR name = $1)
          AND (CAST($2 AS TEXT) IS NULL OR lower(name) LIKE $2 ESCAPE '!')
          AND (CAST($3 AS TEXT) IS NULL OR ldap_group_dn = $3)
          AND (CAST($4 AS BIGINT) IS NULL OR group_type = $4)"
    };
}

statements! {
    GROUP = sql!(concat!("SELECT ", columns!(), " FROM user_groups WHERE id = $1"));
    GROUPS = sql!(concat!(
        "SELECT ",
        columns!(),
        filtered!(),
        windowed!("$5", "$6", "$7", "id", "name", "created_at")
    ));
    COUNT_GROUPS = sql!(concat!("SELECT COUNT(*)", filtered!()));
    GROUPS_OF = sql!("SELECT group_id FROM user_group_members WHERE user_id = $1 ORDER BY group_id");
    /// Gives no row if another group has the name or the distinguished name.
    ADD_GROUP = sql!(
        "INSERT INTO user_groups (group_type, name, ldap_group_dn, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING RETURNING id"
    );
    RENAME_GROUP = sql!(
        "UPDATE user_groups SET name = $2, updated_at = $3 WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM user_groups o
                         WHERE o.group_type = user_groups.group_type AND o.name = $2 AND o.id <> $1)"
    );
    /// First of all that goes with a group: it waits for those that are giving the group something.
    DELETE_GROUP = sql!("DELETE FROM user_groups WHERE id = $1");
    REMOVE_GROUP_MEMBERSHIPS = sql!("DELETE FROM project_members WHERE entity_type = 'g' AND entity_id = $1");
    EMPTY_GROUP = sql!("DELETE FROM user_group_members WHERE group_id = $1");
    LEAVE_OTHER_GROUPS = sql!(
        pg: "DELETE FROM user_group_members WHERE user_id = $1
             AND group_id NOT IN (SELECT CAST(e AS BIGINT) FROM json_array_elements_text(CAST($2 AS json)) AS e)",
        lite: "DELETE FROM user_group_members WHERE user_id = $1
               AND group_id NOT IN (SELECT value FROM json_each($2))",
    );
    /// Waits for whoever deletes one of the groups.
    JOIN_GROUPS = sql!(
        pg: "INSERT INTO user_group_members (user_id, group_id)
             SELECT CAST($1 AS BIGINT), g.id FROM user_groups g
             WHERE g.id = ANY (ARRAY(SELECT CAST(e AS BIGINT) FROM json_array_elements_text(CAST($2 AS json)) AS e))
             ORDER BY g.id FOR KEY SHARE
             ON CONFLICT DO NOTHING",
        lite: "INSERT INTO user_group_members (user_id, group_id)
               SELECT $1, g.id FROM user_groups g WHERE g.id IN (SELECT value FROM json_each($2))
               ON CONFLICT DO NOTHING",
    );
}

type Row = (i64, String, i64, String);

fn group((id, name, group_type, ldap_group_dn): Row) -> Result<UserGroup> {
    let group_type =
        GroupType::from_number(group_type).map_err(|_| corrupt("the group's type", group_type))?;
    Ok(UserGroup { id: GroupId(id), name, group_type, ldap_group_dn })
}

/// A filter's parameters.
struct Filter<'a> {
    name: Option<&'a str>,
    name_like: Option<String>,
    dn: Option<&'a str>,
    kind: Option<i64>,
}

impl<'a> From<&'a GroupFilter> for Filter<'a> {
    fn from(filter: &'a GroupFilter) -> Self {
        Self {
            name: filter.name.as_deref().map(exactly),
            name_like: filter.name_like.as_deref().map(within),
            dn: filter.ldap_group_dn.as_deref().map(exactly),
            kind: filter.group_type.map(GroupType::number),
        }
    }
}

#[async_trait]
impl GroupReads for SqlMetadata {
    async fn group(&self, id: GroupId) -> Result<Option<UserGroup>> {
        let row: Option<Row> = optional!(self, GROUP, id.0);
        row.map(group).transpose()
    }

    async fn groups(&self, filter: &GroupFilter, window: Window<GroupOrder>) -> Result<Vec<UserGroup>> {
        let f = Filter::from(filter);
        let column = match window.order {
            GroupOrder::Id => BY_ID,
            GroupOrder::Name => BY_NAME,
        };
        let Cut { sort, limit, offset } = Cut::of(&window, column);
        let rows: Vec<Row> = all!(self, GROUPS, f.name, &f.name_like, f.dn, f.kind, sort, limit, offset);
        rows.into_iter().map(group).collect()
    }

    async fn count_groups(&self, filter: &GroupFilter) -> Result<u64> {
        let f = Filter::from(filter);
        let (count,): (i64,) = one!(self, COUNT_GROUPS, f.name, &f.name_like, f.dn, f.kind);
        unsigned(count)
    }

    async fn groups_of(&self, user: UserId) -> Result<Vec<GroupId>> {
        let rows: Vec<(i64,)> = all!(self, GROUPS_OF, user.0);
        Ok(rows.into_iter().map(|(id,)| GroupId(id)).collect())
    }
}

#[async_trait]
impl GroupWrites for SqlTransaction {
    async fn add_group(
        &mut self,
        group_type: GroupType,
        name: &str,
        ldap_group_dn: &str,
        at: Timestamp,
    ) -> Result<Added<GroupId>> {
        let row: Option<(i64,)> =
            optional!(self, ADD_GROUP, group_type.number(), name, ldap_group_dn, at.as_micros());
        Ok(row.map_or(Added::Exists, |(id,)| Added::Added(GroupId(id))))
    }

    async fn rename_group(
        &mut self,
        id: GroupId,
        name: &str,
        at: Timestamp,
    ) -> Result<Option<Added<GroupId>>> {
        if execute!(self, RENAME_GROUP, id.0, name, at.as_micros()) > 0 {
            return Ok(Some(Added::Added(id)));
        }
        let there: Option<Row> = optional!(self, GROUP, id.0);
        Ok(there.map(|_| Added::Exists))
    }

    async fn delete_group(&mut self, id: GroupId) -> Result<bool> {
        if execute!(self, DELETE_GROUP, id.0) == 0 {
            return Ok(false);
        }
        execute!(self, REMOVE_GROUP_MEMBERSHIPS, id.0);
        execute!(self, EMPTY_GROUP, id.0);
        Ok(true)
    }

    async fn set_groups_of(&mut self, user: UserId, groups: &[GroupId]) -> Result<()> {
        let groups = batch::numbers(groups.iter().map(|group| group.0));
        execute!(self, LEAVE_OTHER_GROUPS, user.0, &groups);
        execute!(self, JOIN_GROUPS, user.0, &groups);
        Ok(())
    }
}
