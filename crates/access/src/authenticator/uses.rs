//! When robots last showed their secrets: gathered in memory, written in batches.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use berth_domain::{Actor, ActorKind, RobotId, Timestamp};

use super::Authenticator;

/// What was not written yet: at most one moment a robot.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<RobotId, Timestamp>>);

impl Uses {
    /// Remembers that whoever it is showed a secret, if it is a robot.
    pub(super) fn record(&self, actor: &Actor, at: Timestamp) {
        if actor.kind == ActorKind::Robot {
            self.add([(RobotId(actor.id), at)]);
        }
    }

    fn add(&self, uses: impl IntoIterator<Item = (RobotId, Timestamp)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (robot, at) in uses {
            let last = known.entry(robot).or_insert(at);
            *last = at.max(*last);
        }
    }

    fn take(&self) -> Vec<(RobotId, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

impl Authenticator {
    /// Writes down when robots were last used. Called every few seconds and before the end; what cannot be written is kept for
    /// the next time.
    pub async fn flush_uses(&self) -> berth_metadata::Result<()> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut tx = self.parts.metadata.begin().await?;
            tx.record_robot_uses(&uses).await?;
            tx.commit().await
        };
        let written = written.await;
        if written.is_err() {
            self.uses.add(uses);
        }
        written
    }
}
