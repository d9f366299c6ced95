//! Standings of subjects.

use async_trait::async_trait;
use berth_domain::{RobotId, RoleId, UserId};
use berth_metadata::Result;
use berth_metadata::robot::RobotReads;
use berth_metadata::standing::{RobotStanding, StandingReads, UserStanding};
use berth_oci::ProjectName;

use crate::SqlMetadata;
use crate::error::corrupt;
use crate::value::time;

statements! {
    /// The roles are two look-ups by the entity's index, whatever the number of members; a null project has none.
    USER_STANDING = sql!(
        "SELECT u.sysadmin, u.valid_after,
                (SELECT string_agg(CAST(r.role_id AS TEXT), ',') FROM (
                     SELECT m.role_id FROM project_members m
                     WHERE m.entity_type = 'u' AND m.entity_id = u.id AND m.project_id = p.id
                     UNION
                     SELECT m.role_id FROM user_group_members g CROSS JOIN project_members m
                     WHERE g.user_id = u.id AND m.entity_type = 'g' AND m.entity_id = g.group_id
                     AND m.project_id = p.id
                 ) AS r)
         FROM users u LEFT JOIN projects p ON p.name = $2 AND p.deleted_at IS NULL
         WHERE u.id = $1 AND u.deleted_at IS NULL"
    );
}

type Row = (bool, i64, Option<String>);

/// Reads a list of roles, in order.
pub(crate) fn roles(numbers: Option<&str>) -> Result<Vec<RoleId>> {
    let numbers = numbers.unwrap_or_default().split(',').filter(|number| !number.is_empty());
    let role = |number: &str| number.parse().map(RoleId).map_err(|_| corrupt("the role", number));
    let mut roles = numbers.map(role).collect::<Result<Vec<_>>>()?;
    roles.sort_unstable();
    Ok(roles)
}

#[async_trait]
impl StandingReads for SqlMetadata {
    async fn user_standing(
        &self,
        user: UserId,
        project: Option<&ProjectName>,
    ) -> Result<Option<UserStanding>> {
        let row: Option<Row> = optional!(self, USER_STANDING, user.0, project.map(ProjectName::as_str));
        let Some((sysadmin, valid_after, numbers)) = row else { return Ok(None) };
        let roles = roles(numbers.as_deref())?;
        Ok(Some(UserStanding { sysadmin, valid_after: time(valid_after), roles }))
    }

    async fn robot_standing(&self, robot: RobotId) -> Result<Option<RobotStanding>> {
        let Some(found) = self.robot(robot).await? else { return Ok(None) };
        Ok(Some(RobotStanding {
            level: found.robot.level,
            disabled: found.robot.disabled,
            expires_at: found.robot.expires_at(),
            valid_after: found.robot.valid_after,
            grants: found.robot.grants,
        }))
    }
}
