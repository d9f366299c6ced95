//! All bytes that storage holds have a row or a live session, and nothing else lies among them.

use berth_blobs::{Listed, Stored};
use berth_oci::Digest;
use futures::StreamExt as _;
use uuid::Uuid;

use super::sessions::is_live;
use super::{BATCH, Check, Finding, Named, UNTOUCHED_FOR};
use crate::Result;

impl Check<'_> {
    pub(super) async fn orphans(&mut self, named: &Named) -> Result<()> {
        let mut suspects = Vec::new();
        let mut list = self.registry.ports().blobs.list();
        while let Some(listed) = list.next().await {
            match listed? {
                Listed::Bytes(stored) => {
                    self.report.stored += 1;
                    if !named.has(&stored.location) {
                        suspects.push(stored);
                    }
                }
                Listed::Foreign(place) => self.find(&Finding::Foreign { place }),
            }
        }
        if suspects.is_empty() {
            return Ok(());
        }
        // Bytes that came after the rows were read have their rows by now.
        let named = self.name_again().await?;
        for stored in suspects {
            if !named.has(&stored.location) {
                self.orphan(stored).await?;
            }
        }
        Ok(())
    }

    async fn name_again(&self) -> Result<Named> {
        let mut named = Named::default();
        let metadata = &self.registry.ports().metadata;
        let mut after: Option<Uuid> = None;
        loop {
            let sessions = metadata.uploads(after, BATCH).await?;
            let Some(last) = sessions.last() else { break };
            after = Some(last.id);
            sessions.iter().filter(|session| is_live(session)).for_each(|live| named.add(&live.location));
        }
        let mut after: Option<Digest> = None;
        loop {
            let blobs = metadata.stored_blobs(after.as_ref(), BATCH).await?;
            let Some(last) = blobs.last() else { return Ok(named) };
            after = Some(last.digest);
            for blob in &blobs {
                named.add(&blob.location);
            }
        }
    }

    async fn orphan(&mut self, listed: Stored) -> Result<()> {
        let blobs = &self.registry.ports().blobs;
        // What is gone by now was being tidied away.
        let Some(stored) = blobs.inspect(&listed.location).await? else { return Ok(()) };
        let (location, size) = (stored.location.clone(), stored.size);
        if self.registry.now().since(stored.touched_at) < UNTOUCHED_FOR {
            self.find(&Finding::Recent { location, size });
            return Ok(());
        }
        let removed = self.options.repair;
        if removed && stored.published {
            blobs.delete(&stored.location).await?;
        } else if removed {
            let location = location.clone();
            let nothing = berth_blobs::Checkpoint {
                location,
                durable: 0,
                tail: bytes::Bytes::new(),
                state: Vec::new(),
            };
            blobs.discard(&nothing).await?;
        }
        self.find(&Finding::Orphan { location, size, removed });
        Ok(())
    }
}
