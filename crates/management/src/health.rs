//! How the components are. Asking costs a question to the database and a write to storage, and everybody may ask: so all who ask
//! within a second share one answer, and nobody can keep the two busy by asking.

use std::sync::Arc;
use std::time::Duration;

use berth_blobs::Blobs;
use berth_domain::{Clock, Timestamp, chain};
use berth_metadata::Metadata;
use tokio::sync::Mutex;

use crate::Parts;
use crate::guarded::Guarded;

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long a component may think about how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// How one component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentHealth {
    /// Its name, as Harbor calls it.
    pub name: &'static str,
    /// What is wrong with it; `None` is nothing.
    pub error: Option<String>,
}

impl Guarded<'_> {
    /// How the components are: `core` is this process, `database` the metadata, `registry` the storage. Everybody may ask, also who
    /// showed nothing; details of what is wrong stand in the log.
    pub async fn health(&self) -> Vec<ComponentHealth> {
        self.management.health().ask().await
    }
}

/// Asks the components, and remembers what they said last.
#[derive(Debug)]
pub(crate) struct Health {
    metadata: Arc<dyn Metadata>,
    blobs: Arc<dyn Blobs>,
    clock: Arc<dyn Clock>,
    last: Arc<Mutex<Option<Answer>>>,
}

/// What was found, and when.
#[derive(Debug)]
struct Answer {
    at: Timestamp,
    components: Vec<ComponentHealth>,
}

impl Health {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self {
            metadata: Arc::clone(&parts.metadata),
            blobs: Arc::clone(&parts.blobs),
            clock: Arc::clone(&parts.clock),
            last: Arc::default(),
        }
    }

    async fn ask(&self) -> Vec<ComponentHealth> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        let now = self.clock.now();
        if let Some(known) = &*last
            && known.at <= now
            && now.since(known.at) < BELIEVED
        {
            return known.components.clone();
        }
        let (metadata, blobs) = (Arc::clone(&self.metadata), Arc::clone(&self.blobs));
        // Apart from who asks, so that somebody who goes away has not asked for nothing.
        let asked = tokio::spawn(async move {
            let (database, registry) =
                tokio::join!(healthy("database", metadata.check()), healthy("registry", blobs.check()));
            let components = vec![ComponentHealth { name: "core", error: None }, database, registry];
            *last = Some(Answer { at: now, components: components.clone() });
            components
        });
        asked
            .await
            .unwrap_or_else(|error| vec![ComponentHealth { name: "core", error: Some(error.to_string()) }])
    }
}

async fn healthy<E: std::error::Error>(
    name: &'static str,
    check: impl Future<Output = Result<(), E>>,
) -> ComponentHealth {
    // What everybody is told, and what the operator is.
    let (error, details) = match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(())) => return ComponentHealth { name, error: None },
        Ok(Err(error)) => (error.to_string(), chain(&error)),
        Err(_) => ("it does not answer".to_owned(), format!("it does not answer within {PATIENCE:?}")),
    };
    tracing::warn!(component = name, error = details, "unhealthy");
    ComponentHealth { name, error: Some(error) }
}
