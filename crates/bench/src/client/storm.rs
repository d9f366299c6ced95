//! Small requests at the highest rate: one thread, many kept-alive connections, one request in flight on each.
//!
//! Threads would spend the shared cores on switching; this costs about two system calls a request, as `wrk` does.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::image::MANIFEST_TYPE;
use crate::http::{Endpoint, Head};
use crate::statistics::percentile;

/// What the storm saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storm {
    /// Answers received.
    pub(crate) answers: u64,
    /// The time that 99 of 100 answers stayed below, in milliseconds.
    pub(crate) p99: f64,
}

/// Asks for `target` with `clients` connections for that long; plain HTTP only. `headers` are whole lines.
pub(crate) fn storm(
    endpoint: &Endpoint,
    target: &str,
    headers: &str,
    clients: usize,
    length: Duration,
) -> anyhow::Result<Storm> {
    storm_of(endpoint, target, &vec![headers; clients], length)
}

/// The same with one connection for each of `headers`.
pub(crate) fn storm_of<H: AsRef<str>>(
    endpoint: &Endpoint,
    target: &str,
    headers: &[H],
    length: Duration,
) -> anyhow::Result<Storm> {
    let host = endpoint.address();
    let request = |headers: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: {MANIFEST_TYPE}\r\n{headers}\r\n")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut milliseconds = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for headers in headers {
            let socket = TcpStream::connect(endpoint.address()).await?;
            socket.set_nodelay(true)?;
            tasks.spawn(ask(socket, request(headers.as_ref()), Instant::now() + length));
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done??);
        }
        anyhow::Ok(all)
    })?;
    Ok(Storm { answers: milliseconds.len() as u64, p99: percentile(&mut milliseconds, 99.0) })
}

/// One client: the time of each of its requests, in milliseconds.
async fn ask(mut socket: TcpStream, request: String, deadline: Instant) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut begun = Instant::now();
    while begun < deadline {
        socket.write_all(request.as_bytes()).await?;
        answer(&mut socket, &mut buffer).await?;
        let now = Instant::now();
        times.push((now - begun).as_secs_f64() * 1000.0);
        begun = now;
    }
    Ok(times)
}

/// Reads one answer that must fit the buffer.
async fn answer(socket: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let (mut filled, mut wanted) = (0, None);
    while wanted.is_none_or(|wanted| filled < wanted) {
        let read = socket.read(&mut buffer[filled..]).await?;
        anyhow::ensure!(read > 0, "the server closed the connection, or its answer is too long");
        filled += read;
        if wanted.is_none()
            && let Some(end) = Head::end(&buffer[..filled])
        {
            let length = Head::body_length(&buffer[..end])?;
            wanted = Some(end + usize::try_from(length)?);
        }
    }
    Ok(())
}
