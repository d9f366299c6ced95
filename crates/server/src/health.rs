//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use berth_registry::Registry;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::answer;
use crate::metrics::Metrics;

/// How long an answer of the database and of storage is believed, so that nobody can keep them busy by asking.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(5);
const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers for the process.
#[derive(Debug)]
pub(crate) struct Health {
    registry: Registry,
    metrics: Arc<Metrics>,
    ending: AtomicBool,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

/// Whether a path is one of the three.
pub(crate) fn is_health(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

impl Health {
    pub(crate) fn new(registry: Registry, metrics: Arc<Metrics>) -> Self {
        Self { registry, metrics, ending: AtomicBool::new(false), last: Mutex::default() }
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
        let mut last = self.last.lock().await;
        if let Some((at, known)) = &*last
            && at.elapsed() < BELIEVED
        {
            return known.clone();
        }
        let found = match timeout(PATIENCE, self.registry.check()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the database or storage does not answer in time".to_owned()),
        };
        *last = Some((Instant::now(), found.clone()));
        found
    }
}
