//! Which adapter stands behind which port, by the configuration.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use berth_access::freshness::BRIDGED;
use berth_access::{Access, Gatekeeper};
use berth_api_distribution::DistributionSettings;
use berth_api_harbor::HarborSettings;
use berth_blobs::{Blobs, BufferPool};
use berth_blobs_filesystem::{FilesystemBlobs, LocalFileSystem, Options};
use berth_cache_memory::{Lifetimes, MemoryAttempts, MemoryCache};
use berth_config::{Config, MissingContent};
use berth_domain::{Clock, Entropy, SystemClock, SystemEntropy};
use berth_http::{External, Origins, Scheme};
use berth_management::{Management, ManagementSettings};
use berth_metadata::Metadata;
use berth_metadata_sql::{Opening, Schema, SqlMetadata};
use berth_registry::{Ports, Registry, Settings};
use uuid::Uuid;

use crate::accounts::{self, FirstPassword, Ground};
use crate::doors::Doors;
use crate::{data_directory, installation};

/// Under how many names failed log-ins are counted at once.
const COUNTED_LOGINS: usize = 64 << 10;
/// The longest body of a request to the REST API, in bytes; a robot with every permission fits many times.
const LONGEST_API_BODY: usize = 1 << 20;

/// How long somebody waits for room for a manifest or a list on its way out: half of what proxies usually wait for an answer, and as
/// the text of `memory.buffers` says.
const ROOM_TIMEOUT: Duration = Duration::from_secs(30);

/// The use cases and what metrics want to know of what they stand on.
#[derive(Debug)]
pub struct Parts {
    /// The use cases.
    pub registry: Registry,
    /// The use cases of those who run the house.
    pub management: Management,
    /// Who is let in to them.
    pub gatekeeper: Gatekeeper,
    /// The first administrator's password, if this start made it up.
    pub first_password: Option<FirstPassword>,
    pub(crate) incoming: BufferPool,
    pub(crate) outgoing: BufferPool,
    pub(crate) manifests: BufferPool,
    pub(crate) lists: BufferPool,
    pub(crate) forms: BufferPool,
    pub(crate) cache: Arc<MemoryCache>,
    pub(crate) database: SqlMetadata,
    entropy: Arc<dyn Entropy>,
}

/// What use cases are made of.
struct Materials {
    database: SqlMetadata,
    metadata: Arc<dyn Metadata>,
    blobs: Arc<dyn Blobs>,
    cache: Arc<MemoryCache>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    incoming: BufferPool,
    outgoing: BufferPool,
    manifests: BufferPool,
    lists: BufferPool,
    forms: BufferPool,
    alone: bool,
}

impl Parts {
    /// Opens everything that the configuration names. `alone` says that no other process works on the same data.
    pub async fn open(config: &Config, alone: bool) -> Result<Self> {
        let materials = Materials::open(config, alone, Schema::Update).await?;
        let database = materials.database.clone();
        closed_after(&database, Self::of(config, materials).await).await
    }

    async fn of(config: &Config, materials: Materials) -> Result<Self> {
        let (gatekeeper, first_password) = accounts::open(config, materials.ground()).await?;
        let registry = materials.registry(config, gatekeeper.access()).await?;
        let management = materials.management(config, &gatekeeper);
        let Materials { incoming, outgoing, manifests, lists, forms, cache, database, entropy, .. } =
            materials;
        Ok(Self {
            registry,
            management,
            gatekeeper,
            first_password,
            incoming,
            outgoing,
            manifests,
            lists,
            forms,
            cache,
            database,
            entropy,
        })
    }

    /// The registry by itself, beside whatever runs on the same data, for a check that puts right what it finds: it asks for nobody's
    /// rights.
    pub async fn unguarded(config: &Config) -> Result<Registry> {
        let materials = Materials::open(config, false, Schema::AsItIs).await?;
        closed_after(&materials.database, materials.registry(config, Access::open()).await).await
    }

    /// The same for a check that only looks: nothing is written, and what it looks at may be read-only.
    pub async fn to_look(config: &Config) -> Result<Registry> {
        let schema = match config.embedded_database() {
            Some(database) if !data_directory::may_be_served(&config.data.directory, &database) => {
                Schema::Frozen
            }
            _ => Schema::AsItIs,
        };
        let materials = Materials::gather(config, false, schema, Use::Look).await?;
        let settings = settings(config, materials.entropy.uuid(), false);
        Ok(Registry::open_to_look(materials.ports(Access::open()), settings))
    }

    /// A random number.
    pub(crate) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u64::from_ne_bytes(bytes)
    }
}

/// What is to be done with the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It is looked at and nothing is written.
    Look,
    /// It is changed, and what is not there yet is made.
    Work,
}

impl Materials {
    async fn open(config: &Config, alone: bool, schema: Schema) -> Result<Self> {
        Self::gather(config, alone, schema, Use::Work).await
    }

    async fn gather(config: &Config, alone: bool, schema: Schema, purpose: Use) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        // Nobody who holds memory of one part waits for more of the same.
        let parts = &config.memory;
        let [incoming, outgoing, manifests, lists, forms] =
            [parts.incoming(), parts.outgoing(), parts.manifests(), parts.lists(), parts.forms()]
                .map(BufferPool::new);
        let memory = config.cache.memory.bytes();
        let cache = Arc::new(MemoryCache::new(memory, lifetimes(config, alone), Arc::clone(&clock)));
        let database = database(config, schema).await?;
        let claimed = claimed_blobs(config, &database, &entropy, &outgoing, purpose).await;
        let blobs: Arc<dyn Blobs> = Arc::new(closed_after(&database, claimed).await?);
        let metadata: Arc<dyn Metadata> = Arc::new(database.clone());
        Ok(Self {
            database,
            metadata,
            blobs,
            cache,
            clock,
            entropy,
            incoming,
            outgoing,
            manifests,
            lists,
            forms,
            alone,
        })
    }

    fn ground(&self) -> Ground {
        Ground {
            metadata: Arc::clone(&self.metadata),
            cache: Arc::<MemoryCache>::clone(&self.cache),
            attempts: Arc::new(MemoryAttempts::new(Arc::clone(&self.clock), COUNTED_LOGINS)),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        }
    }

    fn management(&self, config: &Config, gatekeeper: &Gatekeeper) -> Management {
        let parts = berth_management::Parts {
            metadata: Arc::clone(&self.metadata),
            blobs: Arc::clone(&self.blobs),
            cache: Arc::<MemoryCache>::clone(&self.cache),
            authority: Arc::clone(&gatekeeper.authority),
            passwords: gatekeeper.passwords.clone(),
            secret_key: gatekeeper.secret_key.clone(),
            brute_force: gatekeeper.brute_force.clone(),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        };
        let settings = ManagementSettings {
            robot_prefix: config.robots.prefix.clone(),
            robot_duration: Some(config.robots.duration),
            self_registration: config.access.self_registration,
            token_lifetime: config.tokens.lifetime,
            session_lifetime: config.access.session_lifetime,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Management::open(parts, settings)
    }

    async fn registry(&self, config: &Config, access: Access) -> Result<Registry> {
        let settings = settings(config, self.entropy.uuid(), self.alone);
        Ok(Registry::open(self.ports(access), settings).await?)
    }

    fn ports(&self, access: Access) -> Ports {
        Ports {
            metadata: Arc::clone(&self.metadata),
            blobs: Arc::clone(&self.blobs),
            cache: Arc::<MemoryCache>::clone(&self.cache),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            incoming: self.incoming.clone(),
            manifests: self.manifests.clone(),
            lists: self.lists.clone(),
            access,
        }
    }
}

/// The same outcome; where it is a failure, nobody will go on with the database, which is closed.
pub(crate) async fn closed_after<T>(database: &SqlMetadata, outcome: Result<T>) -> Result<T> {
    if outcome.is_err() {
        database.close().await;
    }
    outcome
}

pub(crate) async fn metadata(config: &Config, schema: Schema) -> Result<Arc<dyn Metadata>> {
    Ok(Arc::new(database(config, schema).await?))
}

async fn database(config: &Config, schema: Schema) -> Result<SqlMetadata> {
    let database = &config.database;
    let opening = Opening {
        connections: database.pool,
        patience: Some(database.timeout),
        schema,
        history_lines: Some(config.registry.history_lines),
    };
    match config.embedded_database() {
        Some(file) => {
            data_directory::create(&config.data.directory)?;
            let opened = SqlMetadata::open_sqlite_with(&file, opening).await;
            opened.with_context(|| format!("the database {} cannot be opened", file.display()))
        }
        None => SqlMetadata::open_postgres_with(database.url.expose(), opening)
            .await
            .context("the database that database.url names cannot be opened"),
    }
}

/// The blobs that are this database's own.
async fn claimed_blobs(
    config: &Config,
    database: &SqlMetadata,
    entropy: &Arc<dyn Entropy>,
    buffers: &BufferPool,
    purpose: Use,
) -> Result<FilesystemBlobs> {
    let blobs = blobs(config, entropy, buffers, purpose).await?;
    let fresh = (purpose == Use::Work).then(|| entropy.uuid());
    installation::claim(database, &blobs, &config.blob_directory(), fresh).await?;
    Ok(blobs)
}

async fn blobs(
    config: &Config,
    entropy: &Arc<dyn Entropy>,
    outgoing: &BufferPool,
    purpose: Use,
) -> Result<FilesystemBlobs> {
    let directory = config.blob_directory();
    let (entropy, outgoing) = (Arc::clone(entropy), outgoing.clone());
    let opening = tokio::task::spawn_blocking(move || {
        let (files, options) = (Arc::new(LocalFileSystem), Options::default());
        let opened = match purpose {
            Use::Look => FilesystemBlobs::open_as_it_is(&directory, entropy, outgoing, files, options),
            Use::Work => {
                data_directory::create(&directory)?;
                FilesystemBlobs::open(&directory, entropy, outgoing, files, options)
            }
        };
        opened.with_context(|| format!("the blobs in {} cannot be opened", directory.display()))
    });
    opening.await.context("opening the blobs came to no end")?
}

/// Without other processes, all that only they could change is believed as long as it is asked for. What a pull falls back on without
/// the database is known for as long as the rights to it.
fn lifetimes(config: &Config, alone: bool) -> Lifetimes {
    let (tag, last_known) = (config.cache.tag_ttl, BRIDGED);
    if alone {
        Lifetimes { tag, last_known, ..Lifetimes::default() }
    } else {
        Lifetimes { repository: tag, tag, manifest: tag, blob: tag, last_known }
    }
}

fn settings(config: &Config, process: Uuid, alone: bool) -> Settings {
    let registry = &config.registry;
    Settings {
        missing_content: match registry.missing_content {
            MissingContent::None => berth_registry::MissingContent::None,
            MissingContent::Children => berth_registry::MissingContent::Children,
            MissingContent::Any => berth_registry::MissingContent::Any,
        },
        manifest_limit: registry.manifest_limit.in_memory(),
        inline_limit: registry.inline_limit.in_memory(),
        upload_expiry: registry.upload_expiry,
        takeover_after: registry.takeover_after,
        checkpoint_every: registry.checkpoint_every.bytes(),
        history_age: registry.history_age,
        room_timeout: ROOM_TIMEOUT,
        process,
        alone,
    }
}

/// The doors to everything that clients may ask.
pub(crate) fn doors(parts: &Parts, config: &Config) -> Doors {
    let distribution = DistributionSettings {
        manifest_limit: config.registry.manifest_limit.in_memory(),
        body_timeout: config.server.body_timeout,
        concurrent_uploads: config.server.max_uploads as usize,
    };
    let harbor = HarborSettings { body_limit: LONGEST_API_BODY, body_timeout: config.server.body_timeout };
    let forms = &parts.forms;
    Doors {
        distribution: berth_api_distribution::Door::new(
            parts.registry.entrance(),
            parts.gatekeeper.gate(),
            forms.clone(),
            distribution,
        ),
        harbor: berth_api_harbor::Door::new(
            parts.management.clone(),
            parts.gatekeeper.gate(),
            forms.clone(),
            harbor,
        ),
    }
}

/// How requests' origins are found out.
pub(crate) fn origins(config: &Config) -> Origins {
    let server = &config.server;
    let external = server.external_url.as_ref().map(|url| External {
        scheme: if url.is_https() { Scheme::Https } else { Scheme::Http },
        host: url.host().to_owned(),
    });
    Origins::new(external, server.trusted_proxies.all().to_vec())
}
