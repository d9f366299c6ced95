//! `GET /permissions`: what robots can be given.

use axum::response::Response;
use berth_domain::{Permission, PermissionSet};
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One permission.
#[derive(Debug, Serialize)]
pub(crate) struct PermissionView {
    pub(crate) resource: String,
    pub(crate) action: &'static str,
}

#[derive(Debug, Serialize)]
struct CatalogueView {
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Vec<PermissionView>>,
    project: Vec<PermissionView>,
}

impl From<Permission> for PermissionView {
    fn from(Permission { resource, action }: Permission) -> Self {
        Self { resource: resource.as_str().to_owned(), action: action.as_str() }
    }
}

/// The catalogue, as far as the caller may give what is in it.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let catalogue = call.management.permissions().await?;
    let views = |set: &PermissionSet| set.iter().map(PermissionView::from).collect();
    let (system, project) = (catalogue.system.map(views), views(catalogue.project));
    Ok(answer::json(&CatalogueView { system, project }))
}
