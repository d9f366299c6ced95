//! The life of a server: bind, serve, drain, end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use berth_access::Gatekeeper;
use berth_config::Config;
use berth_http::{RequestIdLayer, RequestIds};
use berth_registry::Registry;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::FirstPassword;
use crate::accept::{Accepting, accept};
use crate::connection::{Limits, Listening};
use crate::data_directory::DataDirectory;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::service::Shared;
use crate::tls::Certificate;
use crate::wiring::{self, Parts};
use crate::{accounts, open_files, upkeep};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 4096;
/// How long uploads that the end of the grace cuts off may take to make durable what has come: only what takes longer than the grace
/// asks for it.
const SETTLE: Duration = Duration::from_millis(500);
/// How long what was counted in memory may take to be written down.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long the database may take to end its connections, an embedded one to move its log into its file. What does not come to its
/// end is done by the next start.
const CLOSING: Duration = Duration::from_millis(500);
/// How long the end takes at most once the grace is over, as the text of `server.grace` says. Who watches is served till the end,
/// and that listener has no grace.
const AFTER_GRACE: Duration = Duration::from_secs(2);
const _: () = assert!(
    SETTLE.as_millis() + LAST_WORDS.as_millis() + CLOSING.as_millis() <= AFTER_GRACE.as_millis()
        && 3 * SETTLE.as_millis() + CLOSING.as_millis() <= AFTER_GRACE.as_millis()
);

/// A server whose listeners are bound and whose parts are there.
#[derive(Debug)]
pub struct Server {
    registry: Registry,
    gatekeeper: Gatekeeper,
    first_password: Option<FirstPassword>,
    doors: (TcpListener, Accepting),
    apart: Option<(TcpListener, Accepting)>,
    certificate: Option<Arc<Certificate>>,
    health: Arc<Health>,
    drain: Duration,
    grace: Duration,
    /// Dropped last, so that no other process begins before this one has ended.
    _data: Option<DataDirectory>,
}

impl Server {
    /// Makes everything that the configuration names and binds the listeners.
    pub async fn bind(config: &Config) -> Result<Self> {
        let data = match config.embedded_database() {
            Some(_) => Some(DataDirectory::lock(&config.data.directory)?),
            None => None,
        };
        let (certificate, tls) = encryption(config)?.unzip();
        let listener = listen(config.server.listen, "choose another address with --listen")?;
        let apart = config
            .server
            .metrics_listen
            .map(|address| listen(address, "set another server.metrics_listen"))
            .transpose()?;
        // Last of what may fail: whoever opens a database closes it.
        let parts = Parts::open(config, data.is_some()).await?;
        let doors = wiring::doors(&parts, config);
        let metrics = Metrics::new(parts.sampled(&doors));
        let health = Arc::new(Health::new(parts.management.clone(), Arc::clone(&metrics)));
        let shared = |doors, health| Shared {
            doors,
            health,
            metrics: Arc::clone(&metrics),
            origins: wiring::origins(config),
            request_ids: RequestIdLayer::new(RequestIds::new(parts.random())),
            header_limit: config.server.header_limit.bytes(),
            uri_limit: config.server.uri_limit.bytes(),
            access_log: config.log.access,
            handlers: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        let beside = apart.is_none().then(|| Arc::clone(&health));
        let doors = shared(Some(doors), beside);
        let doors = accepting(config, doors, tls, open_files::connections(config.server.max_connections));
        let apart = apart
            .map(|listener| (listener, accepting(config, shared(None, Some(Arc::clone(&health))), None, 64)));
        Ok(Self {
            registry: parts.registry,
            gatekeeper: parts.gatekeeper,
            first_password: parts.first_password,
            doors: (listener, doors),
            apart,
            certificate,
            health,
            drain: config.server.drain,
            grace: config.server.grace,
            _data: data,
        })
    }

    /// The address that clients use.
    pub fn address(&self) -> Result<SocketAddr> {
        self.doors.0.local_addr().context("the listener has no address")
    }

    /// What the connections of clients share.
    #[cfg(test)]
    pub(crate) fn listening(&self) -> Arc<Listening> {
        Arc::clone(&self.doors.1.listening)
    }

    /// The first administrator's password, if this start made it up.
    #[must_use]
    pub fn first_password(&self) -> Option<&FirstPassword> {
        self.first_password.as_ref()
    }

    /// The address of health and metrics, if it is another one.
    pub fn metrics_address(&self) -> Result<Option<SocketAddr>> {
        let apart = self.apart.as_ref().map(|(listener, _)| listener.local_addr());
        apart.transpose().context("the listener has no address")
    }

    /// Answers until `shutdown` is done; then stops being ready, stops accepting, and gives the requests under way the
    /// configured grace. Whether all of them came to their end.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) -> bool {
        let stop_upkeep = CancellationToken::new();
        let upkeep = tokio::spawn(upkeep::run(self.registry.clone(), self.gatekeeper, stop_upkeep.clone()));
        let following = self.certificate.map(|certificate| tokio::spawn(certificate.follow()));
        let run = |(listener, accepting): (TcpListener, Accepting)| {
            (tokio::spawn(accept(listener, accepting.clone())), accepting)
        };
        let doors = run(self.doors);
        let apart = self.apart.map(run);
        shutdown.await;

        self.health.end();
        tracing::info!("ending: no longer ready");
        sleep(self.drain).await;
        let complete = end(doors, self.grace, Some(&self.registry)).await;
        stop_upkeep.cancel();
        // Whoever watches sees it till the end.
        let watched = async {
            if let Some(apart) = apart {
                end(apart, SETTLE, None).await;
            }
        };
        // What was counted in memory is written down, unless the database hangs.
        let _ = tokio::join!(timeout(LAST_WORDS, upkeep), watched);
        if let Some(following) = following {
            following.abort();
        }
        if timeout(CLOSING, self.registry.close()).await.is_err() {
            tracing::warn!(
                "the database did not end its connections in time; nothing that was written is lost"
            );
        }
        tracing::info!(complete, "ended");
        complete
    }
}

/// Stops one listener and waits for what is under way, as long as the grace lasts.
async fn end(
    (listening, accepting): (JoinHandle<()>, Accepting),
    grace: Duration,
    registry: Option<&Registry>,
) -> bool {
    let shared = &accepting.listening.shared;
    accepting.stop.cancel();
    let _ = listening.await;
    shared.closing.cancel();
    accepting.connections.close();
    shared.handlers.close();
    let ending = async {
        accepting.connections.wait().await;
        shared.handlers.wait().await;
    };
    let complete = timeout(grace, ending).await.is_ok();
    if !complete {
        let connections = accepting.connections.len();
        tracing::warn!(connections, "the grace is over: requests under way are cut off");
        accepting.abort.cancel();
    }
    // What changes something may still come to its end; bodies that were cut off end at once, with a checkpoint.
    let settling = async {
        if let Some(registry) = registry {
            registry.settle(SETTLE).await;
        }
        shared.handlers.wait().await;
    };
    let _ = timeout(SETTLE, settling).await;
    complete
}

fn accepting(config: &Config, shared: Shared, tls: Option<Arc<ServerConfig>>, connections: u32) -> Accepting {
    let server = &config.server;
    let limits = Limits {
        header_timeout: server.header_timeout,
        idle_timeout: server.idle_timeout,
        body_timeout: server.body_timeout,
        header_limit: u32::try_from(server.header_limit.bytes()).unwrap_or(u32::MAX),
        read_buffer: server.read_buffer.in_memory(),
    };
    Accepting {
        listening: Arc::new(Listening { shared: Arc::new(shared), limits, tls }),
        room: Arc::new(Semaphore::new(connections as usize)),
        connections: TaskTracker::new(),
        stop: CancellationToken::new(),
        abort: CancellationToken::new(),
    }
}

/// What only a start finds out of a configuration, without starting anything: whether the files that it names can be used, and the
/// password that a first start gives the administrator.
pub fn check(config: &Config) -> Result<()> {
    encryption(config)?;
    accounts::given_password(config).map(drop)
}

fn encryption(config: &Config) -> Result<Option<(Arc<Certificate>, Arc<ServerConfig>)>> {
    let certificate = Certificate::open(&config.tls);
    let certificate = certificate.context("tls.certificate and tls.key cannot be used")?;
    certificate
        .map(|certificate| Ok((Arc::clone(&certificate), certificate.server_config(&config.tls)?)))
        .transpose()
}

fn listen(address: SocketAddr, remedy: &str) -> Result<TcpListener> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A port whose last connections are still closing can be used again at once.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another program uses it: end that one, or ",
            io::ErrorKind::AddrNotAvailable => "this machine has no such address: ",
            io::ErrorKind::PermissionDenied => "the port takes rights that this process does not have: ",
            _ => "",
        };
        anyhow::Error::new(error).context(format!("{address} cannot be listened on: {why}{remedy}"))
    })
}
