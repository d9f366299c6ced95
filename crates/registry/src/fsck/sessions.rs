//! Every session that may go on has the bytes that its row calls durable.

use berth_metadata::UploadSession;
use uuid::Uuid;

use super::{BATCH, Check, Finding, Named};
use crate::Result;

impl Check<'_> {
    pub(super) async fn sessions(&mut self, named: &mut Named) -> Result<()> {
        let mut after: Option<Uuid> = None;
        loop {
            let sessions = self.registry.ports().metadata.uploads(after, BATCH).await?;
            let Some(last) = sessions.last() else { return Ok(()) };
            after = Some(last.id);
            for session in sessions.into_iter().filter(is_live) {
                named.add(&session.location);
                self.report.sessions += 1;
                if session.durable > 0 {
                    self.session(&session).await?;
                }
            }
        }
    }

    async fn session(&mut self, session: &UploadSession) -> Result<()> {
        let ports = self.registry.ports();
        let stored = ports.blobs.inspect(&session.location).await?;
        if stored.is_some_and(|stored| stored.size >= session.durable) {
            return Ok(());
        }
        // It may have been finished or cancelled since its row was read.
        let now = ports.metadata.upload(session.id).await?;
        if now.is_some_and(|now| is_live(&now) && now.location == session.location) {
            let location = session.location.clone();
            self.find(&Finding::LostUpload { id: session.id, location });
        }
        Ok(())
    }
}

/// Whether the session's location still belongs to it.
pub(super) fn is_live(session: &UploadSession) -> bool {
    session.finished.is_none() && !session.cancelled
}
