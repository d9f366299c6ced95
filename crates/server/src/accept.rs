//! The accept loop: connections come in, up to a limit, until the process is to end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{self, Listening};
use crate::refusal::{Refusal, Refusing};

/// How many connections beyond the limit are told why at once; others are closed without a word.
const TOLD: usize = 64;

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

/// Accepts connections until told to stop; those that had already come by then are still accepted.
pub(crate) async fn accept(listener: TcpListener, accepting: Accepting) {
    let telling = Arc::new(Semaphore::new(TOLD));
    loop {
        tokio::select! {
            () = accepting.stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => welcome(&accepting, &telling, stream, peer),
                Err(error) => {
                    // Out of files, mostly: it passes when connections end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        welcome(&accepting, &telling, stream, peer);
    }
}

fn welcome(accepting: &Accepting, telling: &Arc<Semaphore>, stream: TcpStream, peer: SocketAddr) {
    let metrics = Arc::clone(&accepting.listening.shared.metrics);
    let Ok(permit) = Arc::clone(&accepting.room).try_acquire_owned() else {
        metrics.connections_refused.inc();
        if accepting.listening.tls.is_none()
            && let Ok(permit) = Arc::clone(telling).try_acquire_owned()
        {
            let refusing = Refusing { shared: Arc::clone(&accepting.listening.shared), peer };
            accepting.connections.spawn(async move {
                let _ = timeout(Duration::from_secs(1), turn_away(stream, &refusing)).await;
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

/// Says that there are too many connections. What the client sends is read: closing over unread bytes would lose the answer.
async fn turn_away(mut stream: TcpStream, refusing: &Refusing) {
    let (mut unread, came) = ([0; 4096], Instant::now());
    let read = stream.read(&mut unread).await.unwrap_or(0);
    let words = refusing.refuse(Refusal::TooManyConnections, read as u64, came.elapsed());
    let _ = stream.write_all(&words).await;
    let _ = stream.shutdown().await;
    while let Ok(1..) = stream.read(&mut unread).await {}
}
