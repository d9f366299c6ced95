//! How a membership looks in Harbor's API.

use berth_management::MemberPage;
use serde::Serialize;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct MemberView<'a> {
    id: i64,
    project_id: i64,
    entity_name: &'a str,
    role_name: &'a str,
    role_id: i64,
    entity_id: i64,
    entity_type: &'static str,
}

impl<'a> From<&'a MemberPage> for MemberView<'a> {
    fn from(MemberPage { member, role_name }: &'a MemberPage) -> Self {
        Self {
            id: member.id.0,
            project_id: member.project.0,
            entity_name: &member.entity_name,
            role_name,
            role_id: member.role.0,
            entity_id: member.entity.number(),
            entity_type: member.entity.letter(),
        }
    }
}
