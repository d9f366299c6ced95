//! Roles and what they permit.

use async_trait::async_trait;
use berth_domain::{Action, Permission, PermissionSet, Resource, Role, RoleId};
use berth_metadata::Result;
use berth_metadata::role::{RoleReads, RoleWrites};
use serde_json::json;

use crate::SqlMetadata;
use crate::transaction::SqlTransaction;

statements! {
    ROLES = sql!(
        "SELECT r.id, r.name, p.resource, p.action FROM roles r
         LEFT JOIN role_permissions p ON p.role_id = r.id ORDER BY r.id"
    );
    /// Locks the row, and writes it only if it is new or has another name.
    ENSURE_ROLE = sql!(
        "INSERT INTO roles (id, name) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE roles.name <> excluded.name"
    );
    REMOVE_OTHER_PERMISSIONS = sql!(
        pg: "DELETE FROM role_permissions p WHERE p.role_id = $1
             AND NOT EXISTS (SELECT 1 FROM json_array_elements(CAST($2 AS json)) AS e
                             WHERE e->>0 = p.resource AND e->>1 = p.action)",
        lite: "DELETE FROM role_permissions AS p WHERE p.role_id = $1
               AND NOT EXISTS (SELECT 1 FROM json_each($2) AS e
                               WHERE e.value->>0 = p.resource AND e.value->>1 = p.action)",
    );
    ADD_PERMISSIONS = sql!(
        pg: "INSERT INTO role_permissions (role_id, resource, action)
             SELECT CAST($1 AS BIGINT), e->>0, e->>1 FROM json_array_elements(CAST($2 AS json)) AS e
             ON CONFLICT DO NOTHING",
        lite: "INSERT INTO role_permissions (role_id, resource, action)
               SELECT $1, e.value->>0, e.value->>1 FROM json_each($2) AS e WHERE true
               ON CONFLICT DO NOTHING",
    );
}

type Row = (i64, String, Option<String>, Option<String>);

/// A permission by its names; `None` if this program does not know it.
pub(crate) fn permission(resource: &str, action: &str) -> Option<Permission> {
    Some(Permission { resource: Resource::parse(resource)?, action: Action::parse(action)? })
}

#[async_trait]
impl RoleReads for SqlMetadata {
    async fn roles(&self) -> Result<Vec<Role>> {
        let rows: Vec<Row> = all!(self, ROLES);
        let mut roles: Vec<Role> = Vec::new();
        for (id, name, resource, action) in rows {
            if roles.last().is_none_or(|role| role.id.0 != id) {
                roles.push(Role { id: RoleId(id), name, permissions: PermissionSet::EMPTY });
            }
            let known = resource.zip(action).and_then(|(resource, action)| permission(&resource, &action));
            if let (Some(role), Some(known)) = (roles.last_mut(), known) {
                role.permissions.insert(known.resource, known.action);
            }
        }
        Ok(roles)
    }
}

#[async_trait]
impl RoleWrites for SqlTransaction {
    async fn ensure_role(&mut self, role: &Role) -> Result<()> {
        let names = role.permissions.iter().map(|each| [each.resource.as_str(), each.action.as_str()]);
        let permissions = names.map(|names| json!(names)).collect::<serde_json::Value>().to_string();
        execute!(self, ENSURE_ROLE, role.id.0, &role.name);
        execute!(self, REMOVE_OTHER_PERMISSIONS, role.id.0, &permissions);
        execute!(self, ADD_PERMISSIONS, role.id.0, &permissions);
        Ok(())
    }
}
