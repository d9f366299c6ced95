//! The registry's use cases: push, pull, mount, uploads, tags, referrers, delete.
//!
//! **Invariants.** [`Entrance::as_caller`] is the only way for a door in, and every method of [`Guarded`] begins with its
//! permission check. No transaction waits for a body. A change is invisible until its transaction committed, and
//! what the caches held of it is forgotten before the answer is sent. Nothing is written on the pull path but the mark of damage.
//!
//! **Where to look.** One noun is one file, and holds the noun's methods of [`Guarded`]: [`blob`], [`mount`], [`manifest`],
//! `tag`, `referrer`, [`catalog`], `repository`, [`upload`]. Beside them stand what runs without a caller ([`fsck`],
//! `history`, expiry of uploads, flushing of `pulls`) and what the use cases share: the `lookup` that the caches stand before, with
//! its questions in `flights`, the `destination` of a push, and the budgets of `large_manifests` and of `lists` on their way out.
#![deny(missing_docs)]

mod apart;
pub mod blob;
pub mod body;
pub mod catalog;
pub mod condition;
mod destination;
mod entrance;
pub mod error;
mod flights;
pub mod fsck;
mod guarded;
mod history;
mod large_manifests;
mod lists;
mod lookup;
pub mod manifest;
pub mod mount;
pub mod page;
mod pulls;
mod reader;
mod referrer;
mod repository;
pub mod settings;
mod tag;
mod unbroken;
pub mod upload;

use std::sync::Arc;

use berth_access::{Access, Caller};
use berth_blobs::Blobs;
use berth_cache::Cache;
use berth_domain::{Clock, Entropy, Repository, Timestamp};
use berth_metadata::{Blob, Metadata};
use bytes::Bytes;

// Words of the ports that doors meet in signatures and errors; a door may not name a port.
pub use berth_blobs::{BufferPool, ByteStream, Error as StorageError, Lent};
pub use berth_metadata::{Error as DatabaseError, Referrer};

pub use blob::{BlobContent, BlobInfo};
pub use body::{BodyError, Incoming};
pub use condition::Condition;
pub use entrance::Entrance;
pub use error::Error;
pub use guarded::Guarded;
pub use lists::Room;
pub use manifest::{PulledManifest, PushManifest, PushedManifest};
pub use mount::Mount;
pub use page::Page;
pub use settings::{MissingContent, Settings};
pub use unbroken::{Unbroken, unbroken};
pub use upload::{ChunkPosition, Finished, UploadStatus, UploadTicket};

use apart::Turns;
use flights::Flights;
use large_manifests::{Crowded, LargeManifests};
use lists::Lists;
use pulls::Pulls;
use upload::Signer;
use upload::Writers;

/// What a use case gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that the use cases stand on.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The authority.
    pub metadata: Arc<dyn Metadata>,
    /// The bytes.
    pub blobs: Arc<dyn Blobs>,
    /// The hints.
    pub cache: Arc<dyn Cache>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The budget for bodies on their way in.
    pub incoming: BufferPool,
    /// The budget for large manifests on their way out.
    pub manifests: BufferPool,
    /// The budget for large pages of lists on their way out.
    pub lists: BufferPool,
    /// The rights.
    pub access: Access,
}

/// The registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    settings: Settings,
    signer: Signer,
    writers: Arc<Writers>,
    pulls: Pulls,
    repositories: Flights<Repository>,
    blobs: Flights<Blob>,
    manifests: Flights<Result<PulledManifest, Crowded>>,
    large_manifests: LargeManifests,
    /// Whose turn it is to read a large manifest that is pushed.
    readings: Turns,
    lists: Lists,
}

impl Registry {
    /// Opens the registry over its ports; makes the installation's signing key if this is its first start.
    pub async fn open(ports: Ports, settings: Settings) -> Result<Self> {
        let mut tx = ports.metadata.begin().await?;
        // Not sealed: who knows it makes up sessions that they could open anyway, and no others.
        let key = tx.ensure_setting("upload_key", &fresh_key(&ports)).await?;
        tx.commit().await?;
        Ok(Self::over(ports, settings, key))
    }

    /// Opens the registry to look at what is stored, as a check does: nothing is written, and no upload goes on.
    #[must_use]
    pub fn open_to_look(ports: Ports, settings: Settings) -> Self {
        let key = Bytes::copy_from_slice(&fresh_key(&ports));
        Self::over(ports, settings, key)
    }

    fn over(ports: Ports, settings: Settings, key: Bytes) -> Self {
        let (cache, outage) = (&ports.cache, ports.access.outage());
        let inner = Inner {
            repositories: Flights::new(cache, outage),
            blobs: Flights::new(cache, outage),
            manifests: Flights::new(cache, outage),
            large_manifests: LargeManifests::new(ports.manifests.clone(), settings.room_timeout),
            readings: Turns::new(),
            lists: Lists::new(ports.lists.clone(), settings.room_timeout),
            ports,
            settings,
            signer: Signer::new(key),
            writers: Arc::default(),
            pulls: Pulls::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// As much of it as a door gets.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        Entrance::of(self.clone())
    }

    /// The handle for one caller: the only thing that a door can call.
    #[must_use]
    pub fn as_caller<'a>(&'a self, caller: &'a Caller) -> Guarded<'a> {
        Guarded::new(self, caller)
    }

    /// The budget for bodies on their way in, which a door needs for those that it reads whole.
    #[must_use]
    pub fn incoming(&self) -> &BufferPool {
        &self.inner.ports.incoming
    }

    /// How many upload sessions this process is writing to now.
    #[must_use]
    pub fn live_uploads(&self) -> usize {
        self.inner.writers.count()
    }

    /// Stops all uploads of this process where they are, each with a checkpoint, and returns when that is done or `patience`
    /// is over. To be called after the last request, before the process ends.
    pub async fn settle(&self, patience: std::time::Duration) {
        self.inner.writers.stop_all(patience).await;
    }

    /// Ends what it stands on, so that an embedded database is one file when the process has ended. Nothing can be asked afterwards,
    /// and whatever is under way is waited for.
    pub async fn close(&self) {
        self.ports().metadata.close().await;
    }

    fn ports(&self) -> &Ports {
        &self.inner.ports
    }

    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    fn now(&self) -> Timestamp {
        self.inner.ports.clock.now()
    }
}

fn fresh_key(ports: &Ports) -> [u8; Signer::KEY_LEN] {
    let mut fresh = [0; Signer::KEY_LEN];
    ports.entropy.fill(&mut fresh);
    fresh
}
