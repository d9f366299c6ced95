//! What has to be done now and then: pulls are written down, uploads expire, history is pruned.

use std::time::Duration;

use berth_registry::{Registry, Result};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const PULLS: Duration = Duration::from_secs(10);
const UPLOADS: Duration = Duration::from_mins(1);
const HISTORY: Duration = Duration::from_hours(1);

/// Works until told to stop, then writes down the last pulls.
pub(crate) async fn run(registry: Registry, stop: CancellationToken) {
    let [mut pulls, mut uploads, mut history] = [PULLS, UPLOADS, HISTORY].map(|period| {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    });
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = pulls.tick() => tell("pulls were not counted yet", registry.flush_pulls().await),
            _ = uploads.tick() => tell("expired uploads stay for now", registry.expire_uploads().await),
            _ = history.tick() => tell("old history stays for now", registry.prune_tag_history().await),
        }
    }
    tell("the last pulls are not counted", registry.flush_pulls().await);
}

fn tell<T>(what: &str, done: Result<T>) {
    if let Err(error) = done {
        tracing::warn!(error = &error as &dyn std::error::Error, "{what}");
    }
}
