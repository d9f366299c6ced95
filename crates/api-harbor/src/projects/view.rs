//! How a project looks in Harbor's API. What it does not have is left out, as Harbor does with what is zero.

use std::collections::BTreeMap;

use berth_domain::{Role, RoleId};
use berth_http::rest::time;
use berth_management::ProjectPage;
use serde::Serialize;

/// The whole of it. The list of tolerated vulnerabilities, the proxied registry and the like come with what they belong to.
#[derive(Debug, Serialize)]
pub(crate) struct ProjectView<'a> {
    project_id: i64,
    owner_id: i64,
    name: &'a str,
    creation_time: String,
    update_time: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    owner_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_user_role_id: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    current_user_role_ids: Vec<i64>,
    repo_count: u64,
    metadata: BTreeMap<&'static str, &'a str>,
}

impl<'a> From<&'a ProjectPage> for ProjectView<'a> {
    fn from(page: &'a ProjectPage) -> Self {
        let settings = page.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let public = if page.project.public { "true" } else { "false" };
        Self {
            project_id: page.project.id.0,
            owner_id: page.owner.0,
            name: page.project.name.as_str(),
            creation_time: time(page.project.created_at),
            update_time: time(page.updated_at),
            owner_name: &page.owner_name,
            current_user_role_id: highest(&page.roles).map(|role| role.0),
            current_user_role_ids: page.roles.iter().map(|role| role.0).collect(),
            repo_count: page.repositories,
            metadata: settings.chain([("public", public)]).collect(),
        }
    }
}

/// The most powerful of some roles; one that is not Harbor's counts least.
fn highest(roles: &[RoleId]) -> Option<RoleId> {
    let known = Role::harbors().iter().map(|role| role.id).find(|role| roles.contains(role));
    known.or(roles.first().copied())
}
