//! Bodies on their way in: watched for standing still, counted, and read to an end so that an early answer arrives.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use berth_registry::{BodyError, BufferPool, Incoming};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http_body::Body as _;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, timeout_at};

/// How much of a body that nobody wants is still read, so that its connection can be used again. What is larger ends the connection,
/// which goes on taking bytes for a while: a client that is busy sending sees the answer only if they are taken.
const DRAINED: u64 = 4 << 20;
/// The first room for a body, whatever it announces: more of it has to come before it gets more.
const FIRST: usize = 16 << 10;
/// How long reading what nobody wants may take.
const DRAINED_WITHIN: Duration = Duration::from_secs(10);

/// The body of a request. Dropped before its end, here or as an [`Incoming`], the rest is read away in the background.
#[derive(Debug)]
pub struct RequestBody {
    body: Body,
    length: Option<u64>,
    unread: bool,
    /// Whether the client waits for a sign before it sends.
    waits: bool,
}

impl RequestBody {
    /// Wraps the body of a request with these headers.
    #[must_use]
    pub fn new(headers: &HeaderMap, body: Body) -> Self {
        // Beside a transfer coding, a length says nothing (RFC 9112, 6.3).
        let said = headers.get(CONTENT_LENGTH).filter(|_| !headers.contains_key(TRANSFER_ENCODING));
        let said = said.and_then(|value| value.to_str().ok()?.parse().ok());
        let unread = !body.is_end_stream();
        Self {
            length: said.or_else(|| body.size_hint().exact()),
            unread,
            waits: headers.contains_key(EXPECT),
            body,
        }
    }

    /// Its length, if the client said so.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether it is known to have no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == Some(0) || !self.unread
    }

    /// The body as use cases take it. When nothing comes for `idle` while somebody waits for it, it ends with
    /// [`BodyError::Stalled`]; fewer bytes than announced are [`BodyError::Disconnected`], more are [`BodyError::TooLong`].
    #[must_use]
    pub fn into_incoming(self, idle: Duration) -> Incoming {
        let length = self.length;
        let arriving = Arriving { left: length, body: self, idle, timer: None, waiting: false, ended: false };
        Incoming { length, stream: arriving.boxed() }
    }

    /// All of the body in memory out of `buffers`, if it is not longer than `limit` bytes. A body that announces more is not
    /// read. All of it must be there `within` that time of its first byte, the time not counted in which it waits for memory:
    /// however slowly it moves, it holds up others no longer. Who holds memory of the budget waits for no more of it: what
    /// outgrows a small buffer gets room for all that it may become.
    pub async fn collect(
        self,
        within: Duration,
        limit: usize,
        buffers: &BufferPool,
    ) -> Result<Bytes, CollectError> {
        let limit = limit.min(buffers.budget());
        let announced = self.length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > limit) {
            return Err(CollectError::TooLong);
        }
        let most = announced.unwrap_or(limit);
        let mut stream = self.into_incoming(within).stream;
        let Some(mut piece) = stream.next().await.transpose()? else { return Ok(Bytes::new()) };
        let mut whole = buffers.take(if piece.len() > FIRST { most } else { most.min(FIRST) }).await;
        let mut deadline = Instant::now() + within;
        loop {
            if piece.len() > limit - whole.len() {
                return Err(CollectError::TooLong);
            }
            if whole.spare().len() < piece.len() {
                let (small, asked) = (BytesMut::from(whole.as_ref()), Instant::now());
                drop(whole);
                whole = buffers.take(most).await;
                deadline += asked.elapsed();
                whole.append(&small);
            }
            whole.append(&piece);
            let next = timeout_at(deadline, stream.next()).await.map_err(|_| BodyError::Stalled)?;
            match next.transpose()? {
                Some(next) => piece = next,
                None => return Ok(whole.freeze()),
            }
        }
    }
}

/// Why a body could not be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// It is longer than the limit.
    #[error("the body is longer than the limit")]
    TooLong,
    /// It broke off.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.unread
            && !self.waits
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(drain(std::mem::take(&mut self.body)));
        }
    }
}

/// Reads away what is left, within limits.
async fn drain(body: Body) {
    let mut body = body.into_data_stream();
    let mut room = DRAINED;
    let reading = async {
        while let Some(Ok(piece)) = body.next().await {
            match room.checked_sub(piece.len() as u64) {
                Some(left) => room = left,
                None => return,
            }
        }
    };
    // Whether it came to its end or not, the connection decides what it can still be used for.
    let _ = tokio::time::timeout(DRAINED_WITHIN, reading).await;
}

/// A body that somebody reads.
struct Arriving {
    body: RequestBody,
    /// How many announced bytes are still to come, if any were announced.
    left: Option<u64>,
    idle: Duration,
    /// Made when the body is first waited for; most bodies never are.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the timer runs.
    waiting: bool,
    ended: bool,
}

impl Stream for Arriving {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        // The first look at the body tells a waiting client to send.
        this.body.waits = false;
        loop {
            let Poll::Ready(frame) = Pin::new(&mut this.body.body).poll_frame(cx) else {
                ready!(this.poll_idle(cx));
                return Poll::Ready(Some(this.fail(BodyError::Stalled)));
            };
            this.waiting = false;
            match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                Some(Ok(Ok(data))) if !data.is_empty() => return Poll::Ready(Some(this.count(data))),
                Some(Ok(_)) => {}
                Some(Err(_)) => return Poll::Ready(Some(this.fail(BodyError::Disconnected))),
                None => return Poll::Ready(this.end()),
            }
        }
    }
}

impl Arriving {
    /// Ready when nothing came for too long.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = Instant::now() + self.idle;
        let waiting = std::mem::replace(&mut self.waiting, true);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if !waiting {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }

    fn count(&mut self, data: Bytes) -> Result<Bytes, BodyError> {
        match self.left.map(|left| left.checked_sub(data.len() as u64)) {
            Some(None) => self.fail(BodyError::TooLong),
            Some(left) => {
                self.left = left;
                Ok(data)
            }
            None => Ok(data),
        }
    }

    fn end(&mut self) -> Option<Result<Bytes, BodyError>> {
        self.ended = true;
        self.body.unread = false;
        self.left.is_some_and(|left| left > 0).then_some(Err(BodyError::Disconnected))
    }

    fn fail(&mut self, error: BodyError) -> Result<Bytes, BodyError> {
        self.ended = true;
        self.body.unread = false;
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    fn body(length: Option<&str>, pieces: Vec<&'static str>) -> RequestBody {
        let mut headers = HeaderMap::new();
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.parse().expect("a header"));
        }
        let pieces = stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
        RequestBody::new(&headers, Body::from_stream(pieces))
    }

    async fn collected(body: RequestBody, limit: usize) -> Result<Bytes, CollectError> {
        body.collect(IDLE, limit, &BufferPool::new(1 << 20)).await
    }

    #[tokio::test]
    async fn holds_a_client_to_its_length() {
        assert_eq!(collected(body(Some("3"), vec!["ab", "c"]), 10).await, Ok("abc".into()));
        assert_eq!(collected(body(None, vec!["ab", "c"]), 3).await, Ok("abc".into()));
        let short = collected(body(Some("4"), vec!["ab", "c"]), 10).await;
        assert_eq!(short, Err(CollectError::Body(BodyError::Disconnected)));
        let long = collected(body(Some("2"), vec!["ab", "c"]), 10).await;
        assert_eq!(long, Err(CollectError::Body(BodyError::TooLong)));
        for announced in [Some("3"), None] {
            assert_eq!(collected(body(announced, vec!["ab", "c"]), 2).await, Err(CollectError::TooLong));
        }
    }

    #[tokio::test]
    async fn what_is_collected_is_memory_of_the_budget() {
        let buffers = BufferPool::new(4 << 20);
        let large: &str = Box::leak("x".repeat(2 * FIRST).into_boxed_str());
        let whole = body(None, vec!["ab", large]).collect(IDLE, 2 << 20, &buffers).await.expect("a body");
        assert_eq!((whole.len(), buffers.in_use()), (2 + large.len(), 2 << 20));
        let announced = body(Some("3"), vec!["abc"]).collect(IDLE, 2 << 20, &buffers).await;
        assert_eq!(buffers.in_use(), (2 << 20) + FIRST);
        drop((whole, announced));
        assert_eq!(buffers.in_use(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_a_body_that_stands_still_but_not_one_that_moves() {
        let slow = stream::unfold(0, async |sent| {
            tokio::time::sleep(if sent < 5 { IDLE / 2 } else { IDLE * 2 }).await;
            Some((Ok::<_, std::io::Error>("x"), sent + 1))
        });
        let body = RequestBody::new(&HeaderMap::new(), Body::from_stream(slow));
        let came: Vec<_> = body.into_incoming(IDLE).stream.collect().await;
        assert_eq!(came.len(), 6);
        assert_eq!(came.last(), Some(&Err(BodyError::Stalled)));
    }

    /// Bytes that come one by one, each within the time that a body may stand still.
    fn trickle(bytes: usize) -> RequestBody {
        let slow = stream::unfold(0, move |sent| async move {
            tokio::time::sleep(IDLE / 2).await;
            (sent < bytes).then_some((Ok::<_, std::io::Error>("x"), sent + 1))
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, (1 << 20).to_string().parse().expect("a header"));
        RequestBody::new(&headers, Body::from_stream(slow))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_collected_must_be_there_in_time_however_it_moves() {
        let buffers = BufferPool::new(4 << 20);
        let collecting = tokio::spawn({
            let buffers = buffers.clone();
            async move { trickle(usize::MAX).collect(IDLE, 1 << 20, &buffers).await }
        });
        tokio::time::sleep(IDLE).await;
        assert_eq!(buffers.in_use(), FIRST, "one byte takes no room for what was announced");
        let ended = collecting.await.expect("no panic");
        assert_eq!(ended, Err(CollectError::Body(BodyError::Stalled)));
        assert_eq!(buffers.in_use(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_memory_costs_a_body_no_time() {
        let buffers = BufferPool::new(1 << 20);
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(buffers.take(256 << 10).await);
        }
        // The second piece needs more memory than there is, and the third one takes its time.
        let pieces = stream::unfold(0, async |sent| {
            tokio::time::sleep(if sent == 2 { IDLE / 2 } else { Duration::ZERO }).await;
            (sent < 3).then(|| (Ok::<_, std::io::Error>("x".repeat(FIRST)), sent + 1))
        });
        let body = RequestBody::new(&HeaderMap::new(), Body::from_stream(pieces));
        let collecting = tokio::spawn({
            let buffers = buffers.clone();
            async move { body.collect(IDLE, 1 << 20, &buffers).await }
        });
        tokio::time::sleep(3 * IDLE).await;
        drop(held);
        assert_eq!(collecting.await.expect("no panic").map(|whole| whole.len()), Ok(3 * FIRST));
    }

    #[tokio::test]
    async fn beside_a_transfer_coding_a_length_says_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "0".parse().expect("a header"));
        headers.insert(TRANSFER_ENCODING, "chunked".parse().expect("a header"));
        let pieces = stream::iter(["ab", "c"].map(Ok::<_, std::io::Error>));
        let body = RequestBody::new(&headers, Body::from_stream(pieces));
        assert!(!body.is_empty());
        assert_eq!(collected(body, 10).await, Ok("abc".into()));
    }

    #[tokio::test]
    async fn reads_away_what_nobody_wants() {
        let (sender, mut sent) = tokio::sync::mpsc::unbounded_channel();
        let pieces = stream::iter(0..3).map(move |piece| {
            sender.send(piece).expect("the test listens");
            Ok::<_, std::io::Error>("x")
        });
        drop(RequestBody::new(&HeaderMap::new(), Body::from_stream(pieces)));
        let mut read = Vec::new();
        while let Some(piece) = sent.recv().await {
            read.push(piece);
        }
        assert_eq!(read, [0, 1, 2]);
    }
}
