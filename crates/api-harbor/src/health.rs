//! `GET /health`: how the components are. Always 200: the body says it.

use axum::response::Response;
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

#[derive(Debug, Serialize)]
struct HealthView {
    status: &'static str,
    components: Vec<ComponentView>,
}

#[derive(Debug, Serialize)]
struct ComponentView {
    name: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Healthy only if every component is.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let components = call.management.health().await;
    let all = components.iter().all(|component| component.error.is_none());
    let views = components.into_iter().map(|component| ComponentView {
        name: component.name,
        status: word(component.error.is_none()),
        error: component.error,
    });
    Ok(answer::json(&HealthView { status: word(all), components: views.collect() }))
}

fn word(healthy: bool) -> &'static str {
    if healthy { "healthy" } else { "unhealthy" }
}
