//! `GET /users/current/permissions`.

use axum::response::Response;
use berth_domain::{Permission, Resource};

use crate::answer;
use crate::call::Call;
use crate::error::Error;
use crate::permissions::PermissionView;

/// What the caller may do in a scope: `/system`, or `/project/` and a number. Each resource is a path below the scope, or with
/// `relative` what follows it.
pub(crate) async fn permissions(call: &Call<'_>) -> Result<Response, Error> {
    let scope = call.parameter("scope")?.unwrap_or_default();
    let relative = call.flag("relative")?.unwrap_or(false);
    let permitted = call.management.current_permissions(&scope).await?;
    let views: Vec<_> = permitted.into_iter().map(|permission| view(permission, &scope, relative)).collect();
    Ok(answer::json(&views))
}

/// A project is no resource below itself: it is the scope, `.` from its own view.
fn view(permission: Permission, scope: &str, relative: bool) -> PermissionView {
    let itself = permission.resource == Resource::Project && scope.starts_with("/project/");
    let resource = match (itself, relative) {
        (true, true) => ".".to_owned(),
        (true, false) => scope.to_owned(),
        (false, true) => permission.resource.to_string(),
        (false, false) => format!("{scope}/{}", permission.resource),
    };
    PermissionView { resource, action: permission.action.as_str() }
}
