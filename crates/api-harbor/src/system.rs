//! `GET /systeminfo`: what the installation says of itself; little to strangers. What Berth does not have yet is left out or off.

use axum::response::Response;
use berth_http::Origin;
use berth_http::rest::time;
use berth_management::SystemDetails;
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// The release of Harbor whose API this is. Clients read the number before the first hyphen and decide by it what they may ask for,
/// so our own would send them to an API that is long gone.
const HARBOR: &str = "2.15.2";

#[derive(Debug, Serialize)]
struct InfoView {
    auth_mode: &'static str,
    primary_auth_mode: bool,
    self_registration: bool,
    /// Empty: there are none.
    banner_message: &'static str,
    oidc_provider_name: &'static str,
    #[serde(flatten)]
    details: Option<DetailsView>,
}

#[derive(Debug, Serialize)]
struct DetailsView {
    current_time: String,
    external_url: String,
    registry_url: String,
    project_creation_restriction: &'static str,
    harbor_version: String,
    has_ca_root: bool,
    read_only: bool,
    notification_enable: bool,
}

/// What the caller may know.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let info = call.management.system_info().await?;
    let origin = Origin::of(&call.parts.extensions);
    Ok(answer::json(&InfoView {
        auth_mode: "db_auth",
        primary_auth_mode: false,
        self_registration: info.self_registration,
        banner_message: "",
        oidc_provider_name: "",
        details: info.details.map(|details| DetailsView::of(&details, origin)),
    }))
}

/// Who may make projects, in Harbor's words.
pub(crate) fn restriction(users_create_projects: bool) -> &'static str {
    if users_create_projects { "everyone" } else { "adminonly" }
}

impl DetailsView {
    fn of(details: &SystemDetails, origin: Option<&Origin>) -> Self {
        Self {
            current_time: time(details.now),
            external_url: origin.map(Origin::url).unwrap_or_default(),
            registry_url: origin.map(|origin| origin.host.clone()).unwrap_or_default(),
            project_creation_restriction: restriction(details.users_create_projects),
            harbor_version: format!("v{HARBOR}-berth{}", details.version),
            has_ca_root: false,
            read_only: false,
            notification_enable: false,
        }
    }
}
