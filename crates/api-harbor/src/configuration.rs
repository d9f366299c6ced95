//! `GET /configurations`: the settings that there are, each with its value and that it is not changed here but in the configuration.

use std::time::Duration;

use axum::response::Response;
use berth_management::Configuration;
use serde_json::{Value, json};

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// What is set.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    Ok(answer::json(&view(&call.management.configuration().await?)))
}

fn view(set: &Configuration) -> Value {
    let item = |value: Value| json!({ "value": value, "editable": false });
    let minutes = |lifetime: Duration| item((lifetime.as_secs() / 60).into());
    json!({
        "auth_mode": item("db_auth".into()),
        "primary_auth_mode": item(false.into()),
        "self_registration": item(set.self_registration.into()),
        "project_creation_restriction": item(super::system::restriction(set.users_create_projects).into()),
        "robot_name_prefix": item(set.robot_prefix.as_str().into()),
        "robot_token_duration": item(set.robot_duration.map_or(-1, i64::from).into()),
        "token_expiration": minutes(set.token_lifetime),
        "session_timeout": minutes(set.session_lifetime),
        // Limits are kept and hold nobody back: a client that changes them is told so by this.
        "quota_per_project_enable": item(false.into()),
        "read_only": item(false.into()),
        "notification_enable": item(false.into()),
    })
}
