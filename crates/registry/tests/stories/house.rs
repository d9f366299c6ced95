//! Where a story happens: adapters over one directory, and processes that share them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use berth_access::{Access, Caller};
use berth_blobs::{BufferPool, ByteStream};
use berth_blobs_filesystem::{FileSystem, FilesystemBlobs, LocalFileSystem, MARK, Options};
use berth_cache_memory::{Lifetimes, MemoryCache};
use berth_domain::{Clock as _, Timestamp};
use berth_metadata::user::NewUser;
use berth_metadata::{Metadata as _, UploadReads as _};
use berth_metadata_sql::SqlMetadata;
use berth_oci::{ByteRange, Digest, RepositoryName};
use berth_registry::{
    BodyError, ChunkPosition, Incoming, MissingContent, Ports, Registry, Result, Settings, UploadTicket,
};
use berth_testkit::{SeededEntropy, TestClock};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

pub(crate) const MIB: usize = 1 << 20;

/// One installation's data.
pub(crate) struct House {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) metadata: Arc<SqlMetadata>,
    pub(crate) settings: Settings,
    /// How long processes believe what they remember.
    pub(crate) lifetimes: Lifetimes,
    /// How many bytes a process's bodies may take on their way in, and as many on their way out.
    pub(crate) budget: usize,
    /// What large manifests on their way out may take in all processes together.
    pub(crate) manifests: BufferPool,
    /// The same of large pages of lists.
    pub(crate) lists: BufferPool,
    pub(crate) entropy: Arc<SeededEntropy>,
    /// What blobs are kept on.
    pub(crate) files: Arc<dyn FileSystem>,
    /// How.
    pub(crate) options: Options,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::below(tempfile::tempdir().unwrap()).await
    }

    /// The same in this directory.
    pub(crate) async fn below(directory: tempfile::TempDir) -> Self {
        let metadata = SqlMetadata::open_sqlite(&directory.path().join("berth.db")).await.unwrap();
        let clock = TestClock::new();
        ensure_admin(&metadata, clock.now()).await;
        let settings = Settings {
            missing_content: MissingContent::Children,
            manifest_limit: 4 << 20,
            inline_limit: 16 << 10,
            upload_expiry: Duration::from_hours(24),
            takeover_after: Duration::from_secs(30),
            checkpoint_every: 2 << 20,
            history_age: Duration::from_hours(24 * 90),
            room_timeout: Duration::from_secs(30),
            process: Uuid::from_u128(1),
            alone: true,
        };
        Self {
            clock,
            metadata: Arc::new(metadata),
            settings,
            lifetimes: Lifetimes::default(),
            budget: 32 * MIB,
            manifests: BufferPool::new(8 * MIB),
            lists: BufferPool::new(8 * MIB),
            entropy: SeededEntropy::new(7),
            files: Arc::new(LocalFileSystem),
            options: Options::default(),
            directory,
        }
    }

    /// The same on a file system whose faults a story owns.
    pub(crate) fn on(self, files: Arc<dyn FileSystem>) -> Self {
        Self { files, ..self }
    }

    /// The same in a directory that says whose it is, so that a process can tell whether it is there.
    pub(crate) fn marked(self) -> Self {
        std::fs::create_dir_all(self.blobs()).unwrap();
        std::fs::write(self.blobs().join(MARK), Uuid::from_u128(7).to_string()).unwrap();
        self
    }

    /// A process over the data, with its own memory and its own handles on the directory.
    pub(crate) async fn process(&self, number: u128, alone: bool) -> Registry {
        self.process_with(Settings { process: Uuid::from_u128(number), alone, ..self.settings.clone() }).await
    }

    pub(crate) async fn process_with(&self, settings: Settings) -> Registry {
        let incoming = BufferPool::new(self.budget);
        let entropy = Arc::clone(&self.entropy) as Arc<dyn berth_domain::Entropy>;
        let blobs = FilesystemBlobs::open(
            &self.blobs(),
            Arc::clone(&entropy),
            BufferPool::new(self.budget),
            Arc::clone(&self.files),
            self.options,
        );
        let blobs = blobs.unwrap();
        if self.blobs().join(MARK).exists() {
            blobs.installation().await.unwrap();
        }
        let clock = Arc::clone(&self.clock) as Arc<dyn berth_domain::Clock>;
        let ports = Ports {
            metadata: Arc::clone(&self.metadata) as Arc<dyn berth_metadata::Metadata>,
            blobs: Arc::new(blobs),
            cache: Arc::new(MemoryCache::new(8 << 20, self.lifetimes, Arc::clone(&clock))),
            clock,
            entropy,
            incoming,
            manifests: self.manifests.clone(),
            lists: self.lists.clone(),
            access: Access::open(),
        };
        Registry::open(ports, settings).await.unwrap()
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.directory.path().join("blobs")
    }

    /// The files that storage holds: published ones and unfinished ones.
    pub(crate) fn files(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        (files_below(&self.blobs().join("blobs")), files_below(&self.blobs().join("uploads")))
    }

    /// How many sessions have a row.
    pub(crate) async fn rows(&self) -> usize {
        self.metadata.uploads(None, 100).await.unwrap().len()
    }
}

/// Makes account 1, who owns the projects that nobody in particular makes.
async fn ensure_admin(metadata: &SqlMetadata, at: Timestamp) {
    let admin = NewUser {
        username: "admin".to_owned(),
        email: String::new(),
        realname: String::new(),
        comment: String::new(),
        sysadmin: true,
        password: None,
    };
    let mut tx = metadata.begin().await.unwrap();
    assert!(tx.ensure_admin(&admin, at).await.unwrap());
    tx.commit().await.unwrap();
}

fn files_below(path: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

pub(crate) fn caller() -> Caller {
    Caller::anonymous(None, "story".to_owned())
}

pub(crate) fn name(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

/// Bytes that differ everywhere.
pub(crate) fn content(len: usize) -> Bytes {
    berth_testkit::random_bytes(u64::try_from(len).unwrap(), len).into()
}

/// A body whose length was said.
pub(crate) fn body(content: &Bytes) -> Incoming {
    let frames: Vec<_> = content.chunks(50_000).map(|frame| Ok(content.slice_ref(frame))).collect();
    Incoming { length: Some(content.len() as u64), stream: stream::iter(frames).boxed() }
}

/// A body whose length nobody said.
pub(crate) fn streamed(content: &Bytes) -> Incoming {
    Incoming { length: None, ..body(content) }
}

pub(crate) fn empty() -> Incoming {
    body(&Bytes::new())
}

/// A body of which only `content` comes, though `length` was said.
pub(crate) fn broken(content: &Bytes, length: u64) -> Incoming {
    let stream = body(content).stream.chain(stream::iter([Err(BodyError::Disconnected)]));
    Incoming { length: Some(length), stream: stream.boxed() }
}

/// A body of `length` bytes that a story feeds by hand.
pub(crate) fn by_hand(length: usize) -> (mpsc::UnboundedSender<Result<Bytes, BodyError>>, Incoming) {
    let (sender, receiver) = mpsc::unbounded();
    (sender, Incoming { length: Some(length as u64), stream: receiver.boxed() })
}

pub(crate) const NEXT: ChunkPosition = ChunkPosition::Next;

pub(crate) fn at(start: u64, end: u64) -> ChunkPosition {
    ChunkPosition::At(ByteRange { start, end })
}

/// What a session says that it has.
pub(crate) async fn offset(registry: &Registry, repository: &RepositoryName, ticket: &UploadTicket) -> u64 {
    registry.as_caller(&caller()).upload_status(repository, ticket).await.unwrap().offset
}

/// Asks until the answer is yes; each question is a look at the database, and the others run meanwhile.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), asking).await.expect("it comes to be so");
}

/// Waits until a session has so many durable bytes.
pub(crate) async fn reaches(
    registry: &Registry,
    repository: &RepositoryName,
    ticket: &UploadTicket,
    bytes: u64,
) {
    until(async || offset(registry, repository, ticket).await >= bytes).await;
}

/// Pushes a blob with one request.
pub(crate) async fn push(registry: &Registry, repository: &RepositoryName, content: &Bytes) -> Digest {
    let digest = Digest::sha256(content);
    let caller = caller();
    registry.as_caller(&caller).upload_blob(repository, digest, body(content)).await.unwrap();
    digest
}

/// Opens a blob.
pub(crate) async fn open(
    registry: &Registry,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<ByteStream> {
    let caller = caller();
    let registry = registry.as_caller(&caller);
    let blob = registry.blob(repository, digest).await?;
    if blob.size == 0 {
        return Ok(stream::empty().boxed());
    }
    let range = ByteRange { start: 0, end: blob.size };
    Ok(registry.read_blob(repository, digest, range, None).await?.stream)
}

/// Pulls a blob whole.
pub(crate) async fn pull(registry: &Registry, repository: &RepositoryName, digest: &Digest) -> Result<Bytes> {
    let mut content = open(registry, repository, digest).await?;
    // Copied piece by piece: pieces are memory out of the budget.
    let mut pulled = Vec::new();
    while let Some(piece) = content.try_next().await? {
        pulled.extend_from_slice(&piece);
    }
    Ok(pulled.into())
}
