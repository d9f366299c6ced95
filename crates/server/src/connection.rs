//! One connection, from its first byte to its last: its protocol, its limits, its part in the end of the process.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use berth_http::ConnectionInfo;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::TlsAcceptor;

use crate::activity::Activity;
use crate::refusal::{Refusal, Refusing};
use crate::send_file::SendFile;
use crate::service::{self, Shared};
use crate::socket::Socket;
use crate::streams::Streams;

/// What begins an HTTP/2 connection that was not negotiated (RFC 9113, 3.4). No method of HTTP/1 begins like it.
const PREFACE: &[u8; 4] = b"PRI ";
/// How many times as long as a connection may stand still one piece of an answer may take: all of it must leave in that time,
/// however slow the client is.
const PATIENCE: u32 = 5;
/// How long after its first bytes a connection is looked at again that may speak either protocol.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long a connection that has not asked yet may still do so when the process is about to end.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// How long a client of HTTP/2 without requests may take to agree to the end of its connection.
const FAREWELL: Duration = Duration::from_secs(5);
/// What every window of HTTP/2 has from the start (RFC 9113, 6.9.2).
const LEAST_WINDOW: u32 = 65_535;

/// How many times as long as allowed a header of HTTP/2 may be and still be refused with words. The library counts every field for
/// more than it has, and refuses what is longer by itself, without any.
const HEARD_OUT: u32 = 4;

/// The congestion control for connections that cannot be congested: every kernel has it, and it holds nothing back.
const UNPACED: &str = "reno";
/// How much may be on its way to or from a program on this machine; the kernel takes it twice, for its own bookkeeping.
const NEAR: usize = 256 << 10;

/// The limits of each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) header_limit: u32,
    pub(crate) read_buffer: usize,
}

/// What all connections of a listener share.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) shared: Arc<Shared>,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(listening: Arc<Listening>, stream: TcpStream, peer: SocketAddr) {
    tune(&stream, peer);
    let connection = ConnectionInfo { peer, tls: listening.tls.is_some() };
    let Some(tls) = &listening.tls else {
        let detected = tokio::select! {
            detected = detect(&stream) => detected,
            () = too_late(&listening) => None,
        };
        if let Some(protocol) = detected {
            // Boxed, here and below, so that connections that have not come so far are small.
            Box::pin(converse(&listening, stream, protocol, connection)).await;
        }
        return;
    };
    let plain = tokio::select! {
        plain = is_plain(&stream) => plain,
        () = too_late(&listening) => return,
    };
    if plain {
        let refusing = Refusing { shared: Arc::clone(&listening.shared), peer };
        tokio::select! {
            () = Box::pin(refusing.turn_away(stream, Refusal::NotTls)) => {}
            () = too_late(&listening) => {}
        }
        return;
    }
    let handshake = tokio::select! {
        handshake = Box::pin(TlsAcceptor::from(Arc::clone(tls)).accept(stream)) => handshake,
        () = too_late(&listening) => return tracing::debug!(%peer, "a TLS handshake took too long"),
    };
    match handshake {
        Ok(stream) => {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let protocol = if http2 { Protocol::Http2 } else { Protocol::Http1 };
            Box::pin(converse(&listening, stream, protocol, connection)).await;
        }
        Err(error) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
    }
}

/// Sets what the kernel is to do with the connection. What it refuses costs speed alone.
pub(crate) fn tune(stream: &TcpStream, peer: SocketAddr) {
    // Without it, the last packet of an answer may wait for the client's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    // Over a network the kernel finds the size and the pace that the distance needs. On this machine there is no distance: what it lets
    // pile up falls out of the processor's caches before anybody reads it, and what it paces (BBR) comes in small pieces, each of which
    // wakes the client. Either was measured to double the cost of a byte.
    if peer.ip().to_canonical().is_loopback() {
        let _ = sockopt::set_tcp_congestion(stream, UNPACED);
        let _ = sockopt::set_socket_send_buffer_size(stream, NEAR);
        let _ = sockopt::set_socket_recv_buffer_size(stream, NEAR);
    }
}

/// Done when a connection that has said nothing useful yet is not waited for any longer.
async fn too_late(listening: &Listening) {
    let last_chance = async {
        listening.shared.closing.cancelled().await;
        sleep(LAST_CHANCE).await;
    };
    tokio::select! {
        () = sleep(listening.limits.header_timeout) => {}
        () = last_chance => {}
    }
}

/// Looks at the first bytes without taking them; `None` if the peer went away.
async fn detect(stream: &TcpStream) -> Option<Protocol> {
    let mut first = [0; PREFACE.len()];
    let mut pause = Duration::from_millis(5);
    loop {
        let seen = stream.peek(&mut first).await.ok()?;
        if seen == 0 {
            return None;
        }
        if first[..seen] != PREFACE[..seen] {
            return Some(Protocol::Http1);
        }
        if seen == first.len() {
            return Some(Protocol::Http2);
        }
        // The rest is still on its way, and what is there stays readable meanwhile. Who leaves it at that costs little.
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Whether a client that should begin with TLS begins with a method of HTTP. No record of TLS has such a type (RFC 8446, 5.1).
async fn is_plain(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0].is_ascii_uppercase()
}

/// Speaks with a client in a protocol that was agreed on.
pub(crate) async fn converse<S>(
    listening: &Arc<Listening>,
    stream: S,
    protocol: Protocol,
    connection: ConnectionInfo,
) where
    S: AsyncRead + AsyncWrite + SendFile + Unpin + Send + 'static,
{
    let limits = listening.limits;
    let activity = Activity::new(Arc::clone(&listening.shared.metrics));
    let refusing = Refusing { shared: Arc::clone(&listening.shared), peer: connection.peer };
    let socket = TokioIo::new(Socket::new(stream, Arc::clone(&activity), refusing));
    let (shared, asked) = (Arc::clone(&listening.shared), Arc::clone(&activity));
    let service = service_fn(move |request| {
        // A connection without a request does not keep the room for one.
        Box::pin(service::answer(Arc::clone(&shared), Arc::clone(&asked), connection, request))
    });
    let ended = match protocol {
        Protocol::Http1 => {
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(None)
                .max_buf_size(limits.read_buffer)
                .max_header_size(limits.header_limit as usize)
                .serve_connection(socket, service);
            watch(listening, &activity, &Streams::default(), serving, http1::Connection::graceful_shutdown)
                .await
        }
        Protocol::Http2 => {
            activity.speaks_http2();
            let streams = Streams::default();
            // What comes before anybody reads it lies in memory that no budget counts: as much as over HTTP/1.1, and one stream
            // that is not read leaves as much to the others.
            let window = u32::try_from(limits.read_buffer).unwrap_or(u32::MAX).clamp(LEAST_WINDOW, 16 << 20);
            let serving = http2::Builder::new(streams.clone())
                .timer(TokioTimer::new())
                .max_header_list_size(limits.header_limit.saturating_mul(HEARD_OUT))
                .max_concurrent_streams(128)
                .max_frame_size(256 << 10)
                .initial_stream_window_size(window)
                .initial_connection_window_size(2 * window)
                .max_send_buf_size(1 << 20)
                .keep_alive_interval(limits.body_timeout)
                .keep_alive_timeout(limits.body_timeout)
                .serve_connection(socket, service);
            Box::pin(watch(listening, &activity, &streams, serving, http2::Connection::graceful_shutdown))
                .await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %connection.peer, %error, "a connection ended early");
    }
}

/// Drives a connection; ends it when it breaks its limits, and gently when the process ends.
async fn watch<C>(
    listening: &Listening,
    activity: &Activity,
    streams: &Streams,
    serving: C,
    shut_down: impl Fn(Pin<&mut C>),
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let limits = listening.limits;
    // Looked at once per shortest limit, so a limit is kept at the latest after twice its time.
    let beat = limits.header_timeout.min(limits.idle_timeout).min(limits.body_timeout);
    let mut next = Instant::now() + beat;
    let mut closing = false;
    // Until when a request may still come after the process was told to end.
    let mut ask_until: Option<Instant> = None;
    // When a connection whose client was told of its end is looked at for whether it need be waited for.
    let mut leave_at: Option<Instant> = None;
    let mut serving = pin!(serving);
    loop {
        tokio::select! {
            biased;
            ended = serving.as_mut() => return ended,
            () = listening.shared.closing.cancelled(), if !closing => {
                closing = true;
                if activity.may_be_asking() {
                    ask_until = Some(Instant::now() + LAST_CHANCE);
                } else {
                    shut_down(serving.as_mut());
                    leave_at = Some(Instant::now() + FAREWELL);
                }
            }
            () = sleep_until(ask_until.unwrap_or(next)), if ask_until.is_some() => {
                ask_until = None;
                activity.end_preface();
                shut_down(serving.as_mut());
                leave_at = Some(Instant::now() + FAREWELL);
            }
            () = sleep_until(leave_at.unwrap_or(next)), if leave_at.is_some() => {
                // HTTP/2 waits for the client's word on it, which one that is gone or means harm never says.
                if activity.has_said_all() && streams.are_over() {
                    tracing::debug!("a client does not agree to the end of its connection");
                    return Ok(());
                }
                leave_at = Some(Instant::now() + FAREWELL);
            }
            () = sleep_until(next) => {
                next = Instant::now() + beat;
                if activity.is_stuck(limits.body_timeout) {
                    tracing::debug!("a client takes no more bytes");
                    return Ok(());
                }
                let patience = limits.body_timeout * PATIENCE;
                if activity.holds_too_long(patience) || streams.is_one_left_behind(patience) {
                    tracing::debug!("a client takes too little of an answer");
                    return Ok(());
                }
                streams.let_go(patience);
                // The next look of the connection at its socket ends it with an answer.
                activity.end_slow_header(limits.header_timeout);
                if activity.is_idle(limits.idle_timeout) {
                    shut_down(serving.as_mut());
                    leave_at.get_or_insert_with(|| Instant::now() + FAREWELL);
                }
            }
        }
    }
}
