//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use axum::response::Response;
use berth_access::Caller;
use berth_management::Management;

use crate::answer;
use crate::metrics::Metrics;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers for the process.
#[derive(Debug)]
pub(crate) struct Health {
    management: Management,
    metrics: Arc<Metrics>,
    ending: AtomicBool,
}

/// Whether a path is one of the three.
pub(crate) fn is_health(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

impl Health {
    pub(crate) fn new(management: Management, metrics: Arc<Metrics>) -> Self {
        Self { management, metrics, ending: AtomicBool::new(false) }
    }

    /// The process is about to end: it is not ready any more.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// The answer to a path that [`is_health`].
    pub(crate) async fn answer(&self, method: &Method, path: &str) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return answer::read_only();
        }
        match path {
            "/healthz" => answer::text(StatusCode::OK, TEXT, "ok\n", "healthz"),
            "/readyz" => match self.ready().await {
                Ok(()) => answer::text(StatusCode::OK, TEXT, "ready\n", "readyz"),
                Err(why) => {
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    answer::text(status, TEXT, format!("not ready: {why}\n"), "readyz")
                }
            },
            _ => answer::text(StatusCode::OK, METRICS, self.metrics.render(), "metrics"),
        }
    }

    async fn ready(&self) -> Result<(), String> {
        if self.ending.load(Ordering::Relaxed) {
            return Err("Berth is about to end".to_owned());
        }
        let nobody = Caller::anonymous(None, String::new());
        let components = self.management.as_caller(&nobody).health().await;
        let unwell = components.into_iter().filter_map(|one| Some(format!("{}: {}", one.name, one.error?)));
        let unwell: Vec<_> = unwell.collect();
        if unwell.is_empty() { Ok(()) } else { Err(unwell.join("; ")) }
    }
}
