//! The accept loop: connections come in, up to a limit, until the process is to end.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{self, Listening};
use crate::refusal::{Refusal, Refusing};

/// How many connections beyond the limit are told why at once; others are closed without a word.
const TOLD: usize = 64;
/// How long telling one may take.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// How often the log says at most that connections could not be accepted.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// What an accept loop needs.
#[derive(Clone, Debug)]
pub(crate) struct Accepting {
    pub(crate) listening: Arc<Listening>,
    /// One permit a connection.
    pub(crate) room: Arc<Semaphore>,
    /// Where connections run.
    pub(crate) connections: TaskTracker,
    /// Done when no more connections are to be accepted.
    pub(crate) stop: CancellationToken,
    /// Done when connections are to be dropped as they are.
    pub(crate) abort: CancellationToken,
}

/// Tells connections beyond the limit why they are closed.
struct Telling {
    room: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

impl Telling {
    fn new(listening: &Listening) -> Self {
        // One text for all: whoever speaks HTTP/2 only ends at the handshake.
        let tls = listening.tls.as_ref().map(|tls| {
            let mut tls = (**tls).clone();
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
            TlsAcceptor::from(Arc::new(tls))
        });
        Self { room: Arc::new(Semaphore::new(TOLD)), tls }
    }
}

/// Connections that could not be accepted. What one lacked the next one lacks too, many times a second: the first is said at once, and
/// those after it together, now and then.
#[derive(Debug, Default)]
struct Failures {
    said: Option<Instant>,
    /// How many came since, and what the last one was.
    unsaid: u64,
    last: Option<io::Error>,
}

impl Failures {
    fn note(&mut self, error: io::Error) {
        self.unsaid += 1;
        self.last = Some(error);
        if self.said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
            self.say();
        }
    }

    /// Done when there is something to say again.
    async fn due(&self) {
        match (self.said, &self.last) {
            (Some(said), Some(_)) => sleep_until(said + SAID_EVERY).await,
            _ => pending().await,
        }
    }

    fn say(&mut self) {
        if let Some(error) = self.last.take() {
            let times = std::mem::take(&mut self.unsaid);
            tracing::warn!(%error, times, "connections could not be accepted");
            self.said = Some(Instant::now());
        }
    }
}

/// Accepts connections until told to stop; those that had already come by then are still accepted.
pub(crate) async fn accept(listener: TcpListener, accepting: Accepting) {
    let telling = Telling::new(&accepting.listening);
    let mut failures = Failures::default();
    loop {
        tokio::select! {
            () = accepting.stop.cancelled() => break,
            () = failures.due() => failures.say(),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => welcome(&accepting, &telling, stream, peer),
                Err(error) => {
                    // Out of files, mostly: it passes when connections end.
                    failures.note(error);
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    failures.say();
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        welcome(&accepting, &telling, stream, peer);
    }
}

fn welcome(accepting: &Accepting, telling: &Telling, stream: TcpStream, peer: SocketAddr) {
    let metrics = Arc::clone(&accepting.listening.shared.metrics);
    let Ok(permit) = Arc::clone(&accepting.room).try_acquire_owned() else {
        metrics.connections_refused.inc();
        if let Ok(permit) = Arc::clone(&telling.room).try_acquire_owned() {
            let refusing = Refusing { shared: Arc::clone(&accepting.listening.shared), peer };
            let tls = telling.tls.clone();
            accepting.connections.spawn(async move {
                let telling = async {
                    match tls {
                        None => refusing.turn_away(stream, Refusal::TooManyConnections).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                refusing.turn_away(stream, Refusal::TooManyConnections).await;
                            }
                        }
                    }
                };
                let _ = timeout(TOLD_WITHIN, telling).await;
                drop(permit);
            });
        }
        return;
    };
    let listening = Arc::clone(&accepting.listening);
    let abort = accepting.abort.clone();
    metrics.connections.inc();
    accepting.connections.spawn(async move {
        tokio::select! {
            () = connection::serve(listening, stream, peer) => {}
            () = abort.cancelled() => {}
        }
        metrics.connections.dec();
        drop(permit);
    });
}
