//! Robots and their grants.

use std::collections::BTreeMap;

use async_trait::async_trait;
use berth_domain::{PermissionSet, ProjectId, Robot, RobotGrant, RobotId, RobotLevel, RobotScope, Timestamp};
use berth_metadata::robot::{
    NewRobot, RobotChange, RobotCredentials, RobotFilter, RobotOrder, RobotReads, RobotWrites,
};
use berth_metadata::{Added, Result, Window};
use berth_oci::ProjectName;
use serde_json::json;

use crate::batch::{Cell, rows};
use crate::error::corrupt;
use crate::role::permission;
use crate::transaction::SqlTransaction;
use crate::value::{actor, parse, time, unsigned};
use crate::window::{BY_CREATION, BY_ID, BY_NAME, Cut, among, exactly, within};
use crate::{SqlMetadata, batch};

/// The robots `r` whose project `p` lives, if they belong to one, with their grants as words: `scope resource action` each.
macro_rules! living {
    () => {
        "SELECT r.id, r.name, r.project_id, p.name AS project, r.description, r.duration, r.disabled, r.secret,
                r.valid_after, r.last_used_at, r.by_kind, r.by_id, r.by_name, r.created_at, r.updated_at,
                (SELECT string_agg(CAST(g.scope AS TEXT) || ' ' || g.resource || ' ' || g.action, ',')
                 FROM robot_permissions g WHERE g.robot_id = r.id) AS grants
         FROM robots r LEFT JOIN projects p ON p.id = r.project_id AND p.deleted_at IS NULL
         WHERE (r.project_id = 0 OR p.id IS NOT NULL)"
    };
}

/// The robots of a level that a filter lets through; the later parameters restrict unless they are null.
macro_rules! filtered {
    () => {
        concat!(
            " AND r.project_id = $1",
            one_of!("$2", "r.name"),
            " AND (CAST($3 AS TEXT) IS NULL OR lower(r.name) LIKE $3 ESCAPE '!')"
        )
    };
}

statements! {
    ROBOT = sql!(concat!(living!(), " AND r.id = $1"));
    SYSTEM_ROBOT = sql!(concat!(living!(), " AND r.project_id = 0 AND r.name = $1"));
    PROJECT_ROBOT = sql!(concat!(
        living!(),
        " AND r.name = $1 AND r.project_id = (SELECT o.id FROM projects o WHERE o.name = $2 AND o.deleted_at IS NULL)"
    ));
    ROBOTS = sql!(concat!(
        living!(),
        filtered!(),
        windowed!("$4", "$5", "$6", "r.id", "r.name", "r.created_at")
    ));
    COUNT_ROBOTS = sql!(concat!(
        "SELECT COUNT(*) FROM robots r LEFT JOIN projects p ON p.id = r.project_id AND p.deleted_at IS NULL
         WHERE (r.project_id = 0 OR p.id IS NOT NULL)",
        filtered!()
    ));
    /// Gives no row if the level has a robot of that name.
    ADD_ROBOT = sql!(
        "INSERT INTO robots (name, project_id, description, duration, disabled, secret, valid_after,
                             by_kind, by_id, by_name, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $10, $7, $8, $9, $10, $10)
         ON CONFLICT (project_id, name) DO NOTHING RETURNING id"
    );
    CHANGE_ROBOT = sql!(concat!(
        "UPDATE robots SET description = $2, duration = $3, disabled = $4, updated_at = $5,
                           valid_after = CASE WHEN $4 AND NOT disabled THEN ",
        next_valid_after!("$5"),
        " ELSE valid_after END
         WHERE id = $1"
    ));
    ADD_GRANTS = sql!(
        pg: "INSERT INTO robot_permissions (robot_id, scope, resource, action)
             SELECT CAST($1 AS BIGINT), CAST(e->>0 AS BIGINT), e->>1, e->>2
             FROM json_array_elements(CAST($2 AS json)) AS e ON CONFLICT DO NOTHING",
        lite: "INSERT INTO robot_permissions (robot_id, scope, resource, action)
               SELECT $1, e.value->>0, e.value->>1, e.value->>2 FROM json_each($2) AS e WHERE true
               ON CONFLICT DO NOTHING",
    );
    REMOVE_GRANTS = sql!("DELETE FROM robot_permissions WHERE robot_id = $1");
    SET_ROBOT_SECRET = sql!(concat!(
        "UPDATE robots SET secret = $2, valid_after = ",
        next_valid_after!("$3"),
        ", updated_at = $3 WHERE id = $1"
    ));
    REHASH_ROBOT_SECRET = sql!("UPDATE robots SET secret = $3 WHERE id = $1 AND secret = $2");
    DELETE_ROBOT = sql!("DELETE FROM robots WHERE id = $1");
    REMOVE_GRANTS_OF_PROJECT = sql!(
        "DELETE FROM robot_permissions WHERE robot_id IN (SELECT r.id FROM robots r WHERE r.project_id = $1)"
    );
    DELETE_ROBOTS_OF = sql!("DELETE FROM robots WHERE project_id = $1");
    /// In one order for all, so that none waits for another in a circle.
    LOCK_ROBOTS = sql!(
        pg: "SELECT id FROM robots
             WHERE id = ANY (ARRAY(SELECT CAST(e AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)) AS e))
             ORDER BY id FOR NO KEY UPDATE",
        lite: "SELECT id FROM robots WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
    );
    RECORD_USES = sql!(
        pg: "UPDATE robots AS r SET last_used_at = CAST(e->>1 AS BIGINT)
             FROM json_array_elements(CAST($1 AS json)) AS e
             WHERE r.id = CAST(e->>0 AS BIGINT)
             AND (r.last_used_at IS NULL OR r.last_used_at < CAST(e->>1 AS BIGINT))",
        lite: "UPDATE robots AS r SET last_used_at = e.value->>1 FROM json_each($1) AS e
               WHERE r.id = e.value->>0 AND (r.last_used_at IS NULL OR r.last_used_at < e.value->>1)",
    );
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    project_id: i64,
    project: Option<String>,
    description: String,
    duration: Option<i64>,
    disabled: bool,
    secret: String,
    valid_after: i64,
    last_used_at: Option<i64>,
    by_kind: String,
    by_id: i64,
    by_name: String,
    created_at: i64,
    updated_at: i64,
    grants: Option<String>,
}

fn credentials(row: Row) -> Result<RobotCredentials> {
    let duration = row.duration.map(|days| u32::try_from(days).map_err(|_| corrupt("the duration", days)));
    let robot = Robot {
        id: RobotId(row.id),
        name: row.name,
        level: if row.project_id == 0 {
            RobotLevel::System
        } else {
            RobotLevel::Project(ProjectId(row.project_id))
        },
        description: row.description,
        duration: duration.transpose()?,
        disabled: row.disabled,
        grants: grants(row.grants.as_deref().unwrap_or_default())?,
        creator: actor(&row.by_kind, row.by_id, row.by_name)?,
        valid_after: time(row.valid_after),
        last_used_at: row.last_used_at.map(time),
        created_at: time(row.created_at),
        updated_at: time(row.updated_at),
    };
    let project = row.project.map(|name| parse("the project's name", &name)).transpose()?;
    Ok(RobotCredentials { robot, project, secret: row.secret })
}

/// Reads grants, by scope. A permission that this program does not know is left out.
fn grants(words: &str) -> Result<Vec<RobotGrant>> {
    let mut by_scope: BTreeMap<i64, PermissionSet> = BTreeMap::new();
    for grant in words.split(',').filter(|grant| !grant.is_empty()) {
        let mut parts = grant.split(' ');
        let (Some(scope), Some(resource), Some(action)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(corrupt("the robot's grant", grant));
        };
        let scope = scope.parse().map_err(|_| corrupt("the robot's grant", grant))?;
        let access = by_scope.entry(scope).or_insert(PermissionSet::EMPTY);
        if let Some(known) = permission(resource, action) {
            access.insert(known.resource, known.action);
        }
    }
    Ok(by_scope.into_iter().map(|(scope, access)| RobotGrant { scope: read_scope(scope), access }).collect())
}

const fn read_scope(number: i64) -> RobotScope {
    match number {
        -1 => RobotScope::System,
        0 => RobotScope::AllProjects,
        project => RobotScope::Project(ProjectId(project)),
    }
}

const fn write_scope(scope: RobotScope) -> i64 {
    match scope {
        RobotScope::System => -1,
        RobotScope::AllProjects => 0,
        RobotScope::Project(project) => project.0,
    }
}

const fn level(level: RobotLevel) -> i64 {
    match level {
        RobotLevel::System => 0,
        RobotLevel::Project(project) => project.0,
    }
}

#[async_trait]
impl RobotReads for SqlMetadata {
    async fn robot(&self, id: RobotId) -> Result<Option<RobotCredentials>> {
        let row: Option<Row> = optional!(self, ROBOT, id.0);
        row.map(credentials).transpose()
    }

    async fn robot_by_login(
        &self,
        project: Option<&ProjectName>,
        name: &str,
    ) -> Result<Option<RobotCredentials>> {
        let name = exactly(name);
        let row: Option<Row> = match project {
            None => optional!(self, SYSTEM_ROBOT, name),
            Some(project) => optional!(self, PROJECT_ROBOT, name, project.as_str()),
        };
        row.map(credentials).transpose()
    }

    async fn robots(&self, filter: &RobotFilter, window: Window<RobotOrder>) -> Result<Vec<Robot>> {
        let column = match window.order {
            RobotOrder::Id => BY_ID,
            RobotOrder::Name => BY_NAME,
            RobotOrder::CreatedAt => BY_CREATION,
        };
        let Cut { sort, limit, offset } = Cut::of(&window, column);
        let (name, like) = (among(&filter.name), filter.name_like.as_deref().map(within));
        let rows: Vec<Row> = all!(self, ROBOTS, level(filter.level), &name, &like, sort, limit, offset);
        rows.into_iter().map(|row| Ok(credentials(row)?.robot)).collect()
    }

    async fn count_robots(&self, filter: &RobotFilter) -> Result<u64> {
        let (name, like) = (among(&filter.name), filter.name_like.as_deref().map(within));
        let (count,): (i64,) = one!(self, COUNT_ROBOTS, level(filter.level), &name, &like);
        unsigned(count)
    }
}

#[async_trait]
impl RobotWrites for SqlTransaction {
    async fn add_robot(&mut self, robot: &NewRobot, at: Timestamp) -> Result<Added<RobotId>> {
        let row: Option<(i64,)> = optional!(
            self,
            ADD_ROBOT,
            &robot.name,
            level(robot.level),
            &robot.description,
            robot.duration.map(i64::from),
            robot.disabled,
            &robot.secret,
            robot.creator.kind.as_str(),
            robot.creator.id,
            &robot.creator.name,
            at.as_micros()
        );
        let Some((id,)) = row else { return Ok(Added::Exists) };
        self.add_grants(RobotId(id), &robot.grants).await?;
        Ok(Added::Added(RobotId(id)))
    }

    async fn change_robot(&mut self, id: RobotId, change: &RobotChange, at: Timestamp) -> Result<bool> {
        let (duration, at) = (change.duration.map(i64::from), at.as_micros());
        let there = execute!(self, CHANGE_ROBOT, id.0, &change.description, duration, change.disabled, at);
        if there == 0 {
            return Ok(false);
        }
        execute!(self, REMOVE_GRANTS, id.0);
        self.add_grants(id, &change.grants).await?;
        Ok(true)
    }

    async fn set_robot_secret(&mut self, id: RobotId, secret: &str, at: Timestamp) -> Result<bool> {
        Ok(execute!(self, SET_ROBOT_SECRET, id.0, secret, at.as_micros()) > 0)
    }

    async fn rehash_robot_secret(&mut self, id: RobotId, from: &str, to: &str) -> Result<bool> {
        Ok(execute!(self, REHASH_ROBOT_SECRET, id.0, from, to) > 0)
    }

    async fn delete_robot(&mut self, id: RobotId) -> Result<bool> {
        let there = execute!(self, DELETE_ROBOT, id.0);
        execute!(self, REMOVE_GRANTS, id.0);
        Ok(there > 0)
    }

    async fn delete_robots_of(&mut self, project: ProjectId) -> Result<u64> {
        execute!(self, REMOVE_GRANTS_OF_PROJECT, project.0);
        Ok(execute!(self, DELETE_ROBOTS_OF, project.0))
    }

    async fn record_robot_uses(&mut self, uses: &[(RobotId, Timestamp)]) -> Result<()> {
        // A batch may name a robot twice; one statement must not.
        let mut latest: BTreeMap<i64, i64> = BTreeMap::new();
        for (robot, at) in uses {
            let known = latest.entry(robot.0).or_insert(i64::MIN);
            *known = (*known).max(at.as_micros());
        }
        if latest.is_empty() {
            return Ok(());
        }
        let _: Vec<(i64,)> = all!(self, LOCK_ROBOTS, batch::numbers(latest.keys().copied()));
        execute!(
            self,
            RECORD_USES,
            rows(latest.iter().map(|(id, at)| vec![Cell::Number(*id), Cell::Number(*at)]))
        );
        Ok(())
    }
}

impl SqlTransaction {
    async fn add_grants(&mut self, id: RobotId, grants: &[RobotGrant]) -> Result<()> {
        let of_one = |grant: &RobotGrant| {
            let scope = write_scope(grant.scope);
            let access: Vec<_> = grant.access.iter().collect();
            access.into_iter().map(move |each| json!([scope, each.resource.as_str(), each.action.as_str()]))
        };
        let all = grants.iter().flat_map(of_one).collect::<serde_json::Value>().to_string();
        execute!(self, ADD_GRANTS, id.0, &all);
        Ok(())
    }
}
