//! What has to be done now and then: pulls and robots' log-ins are written down, uploads and sessions expire, history is pruned,
//! signing keys are read again and replaced.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use berth_access::Gatekeeper;
use berth_registry::Registry;
use futures::FutureExt as _;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

const PULLS: Duration = Duration::from_secs(10);
const UPLOADS: Duration = Duration::from_mins(1);
const KEYS: Duration = Duration::from_mins(1);
const HISTORY: Duration = Duration::from_hours(1);
/// How long a refresh token lives without being used.
const UNUSED: Duration = Duration::from_hours(90 * 24);

/// Works until told to stop, then writes down the last pulls. A panic in it is told, and it goes on: nobody would miss it for a day.
pub(crate) async fn run(registry: Registry, gatekeeper: Gatekeeper, stop: CancellationToken) {
    while AssertUnwindSafe(work(&registry, &gatekeeper, &stop)).catch_unwind().await.is_err() {
        tracing::error!("what is done now and then panicked: it begins anew, please report this");
        // What panicked may do so at once again.
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(PULLS) => {}
        }
    }
    count(&registry, &gatekeeper).await;
}

async fn work(registry: &Registry, gatekeeper: &Gatekeeper, stop: &CancellationToken) {
    let [mut pulls, mut uploads, mut keys, mut history] = [PULLS, UPLOADS, KEYS, HISTORY].map(|period| {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    });
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = pulls.tick() => count(registry, gatekeeper).await,
            _ = uploads.tick() => tell("expired uploads stay for now", registry.expire_uploads().await),
            _ = keys.tick() => tell("signing keys stay as they are", gatekeeper.keyring().tend().await),
            _ = history.tick() => prune(registry, gatekeeper).await,
        }
    }
}

/// Writes down what was gathered in memory.
async fn count(registry: &Registry, gatekeeper: &Gatekeeper) {
    tell("pulls are not counted yet", registry.flush_pulls().await);
    tell("robots' last uses are not written yet", gatekeeper.authenticator.flush_uses().await);
}

/// Removes what is over.
async fn prune(registry: &Registry, gatekeeper: &Gatekeeper) {
    tell("old history stays for now", registry.prune_tag_history().await);
    tell("sessions that are over stay for now", gatekeeper.authenticator.prune_sessions().await);
    tell("unused refresh tokens stay for now", gatekeeper.tokens.prune(UNUSED).await);
}

fn tell<T, E: std::error::Error + 'static>(what: &str, done: Result<T, E>) {
    if let Err(error) = done {
        tracing::warn!(error = &error as &dyn std::error::Error, "{what}");
    }
}
