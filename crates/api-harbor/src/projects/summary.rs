//! `GET /projects/{project_name_or_id}/summary`.

use axum::response::Response;
use berth_domain::RoleId;
use berth_management::{ProjectSummary, QuotaUse};
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

#[derive(Debug, Serialize)]
struct SummaryView {
    repo_count: u64,
    #[serde(flatten)]
    members: Option<MembersView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaView>,
}

#[derive(Debug, Serialize)]
struct MembersView {
    #[serde(rename = "project_admin_count")]
    project_admin: u64,
    #[serde(rename = "maintainer_count")]
    maintainer: u64,
    #[serde(rename = "developer_count")]
    developer: u64,
    #[serde(rename = "guest_count")]
    guest: u64,
    #[serde(rename = "limited_guest_count")]
    limited_guest: u64,
}

#[derive(Debug, Serialize)]
struct QuotaView {
    hard: StorageView,
    used: StorageView,
}

#[derive(Debug, Serialize)]
struct StorageView {
    /// -1 is no limit.
    storage: i64,
}

/// A project in numbers, as far as the caller may know them.
pub(crate) async fn summary(call: &Call<'_>) -> Result<Response, Error> {
    let summary = call.management.project_summary(&call.project()).await?;
    Ok(answer::json(&SummaryView::from(summary)))
}

impl From<ProjectSummary> for SummaryView {
    fn from(summary: ProjectSummary) -> Self {
        Self {
            repo_count: summary.repositories,
            members: summary.members.map(|members| MembersView::of(&members)),
            quota: summary.quota.map(|QuotaUse { limit, used }| QuotaView {
                hard: StorageView { storage: limit.map_or(-1, bytes) },
                used: StorageView { storage: bytes(used) },
            }),
        }
    }
}

impl MembersView {
    fn of(members: &[(RoleId, u64)]) -> Self {
        let count = |role| members.iter().filter(|(known, _)| *known == role).map(|(_, count)| count).sum();
        Self {
            project_admin: count(RoleId::PROJECT_ADMIN),
            maintainer: count(RoleId::MAINTAINER),
            developer: count(RoleId::DEVELOPER),
            guest: count(RoleId::GUEST),
            limited_guest: count(RoleId::LIMITED_GUEST),
        }
    }
}

fn bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
