//! What a connection is doing: the state that its socket, its requests and its watchdog share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use berth_blobs::Lent;
use bytes::Bytes;
use tokio::time::Instant;

use crate::held::Held;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::streams::Stream;

/// How much a client of HTTP/2 says before its first frame (RFC 9113, 3.4).
const PREFACE: u64 = 24;

/// One connection's state. Times are milliseconds since it was opened, plus one; zero is "not now".
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    metrics: Arc<Metrics>,
    /// Requests whose body or answer is still moving.
    in_flight: AtomicU32,
    /// When the last request ended.
    idle_since: AtomicU64,
    /// When the first byte of a header came whose request is not there yet. Of HTTP/2 it is the preface alone that is waited for in
    /// this way: its headers come in frames, between which a client that sends too slowly leaves pings unanswered.
    header_since: AtomicU64,
    header_bytes: AtomicU64,
    /// How many of them belong to the first line.
    first_line_bytes: AtomicU64,
    first_line_ended: AtomicBool,
    header_timed_out: AtomicBool,
    /// Since when the peer takes no more bytes.
    blocked_since: AtomicU64,
    /// What of its answers is on its way, on a connection that is one stream by itself.
    held: Arc<Held>,
    /// What of its answers is on its way without memory of the process: windows of files.
    pub(crate) lent: Lent,
    served: AtomicBool,
    /// No request was understood since the last answer left.
    unasked: AtomicBool,
    /// The body of the last request was given up before its end, so there is more of it to come.
    unread: AtomicBool,
    http2: AtomicBool,
}

/// Counts as a request under way until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    activity: Arc<Activity>,
    /// The stream that it is answered on, if the connection has several.
    stream: Option<Arc<Stream>>,
}

impl Activity {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            metrics,
            in_flight: AtomicU32::new(0),
            idle_since: AtomicU64::new(1),
            header_since: AtomicU64::new(0),
            header_bytes: AtomicU64::new(0),
            first_line_bytes: AtomicU64::new(0),
            first_line_ended: AtomicBool::new(false),
            header_timed_out: AtomicBool::new(false),
            blocked_since: AtomicU64::new(0),
            held: Arc::default(),
            lent: Lent::default(),
            served: AtomicBool::new(false),
            unasked: AtomicBool::new(true),
            unread: AtomicBool::new(false),
            http2: AtomicBool::new(false),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    fn longer_than(&self, since: &AtomicU64, limit: Duration) -> bool {
        let since = since.load(Ordering::Relaxed);
        since != 0 && u128::from(self.now().saturating_sub(since)) >= limit.as_millis()
    }

    /// The protocol is HTTP/2, which has frames of its own between requests, and a preface before the first of them.
    pub(crate) fn speaks_http2(&self) {
        self.http2.store(true, Ordering::Relaxed);
        self.header_since.store(1, Ordering::Relaxed);
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.http2.load(Ordering::Relaxed)
    }

    /// A request begins; it lasts until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Arc<InFlight> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.served.store(true, Ordering::Relaxed);
        self.unasked.store(false, Ordering::Relaxed);
        self.unread.store(false, Ordering::Relaxed);
        self.header_since.store(0, Ordering::Relaxed);
        self.header_bytes.store(0, Ordering::Relaxed);
        self.first_line_bytes.store(0, Ordering::Relaxed);
        self.first_line_ended.store(false, Ordering::Relaxed);
        Arc::new(InFlight { activity: Arc::clone(self), stream: Stream::current() })
    }

    /// Bytes came.
    pub(crate) fn received(&self, bytes: &[u8]) {
        self.metrics.received.inc_by(bytes.len() as u64);
        if self.is_http2() {
            return self.received_of_preface(bytes.len() as u64);
        }
        if bytes.is_empty() || self.in_flight.load(Ordering::Relaxed) > 0 {
            return;
        }
        if self.header_since.load(Ordering::Relaxed) == 0 {
            self.header_since.store(self.now(), Ordering::Relaxed);
        }
        self.header_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if !self.first_line_ended.load(Ordering::Relaxed) {
            let end = bytes.iter().position(|&byte| byte == b'\n');
            self.first_line_ended.store(end.is_some(), Ordering::Relaxed);
            self.first_line_bytes.fetch_add(end.unwrap_or(bytes.len()) as u64, Ordering::Relaxed);
        }
    }

    fn received_of_preface(&self, bytes: u64) {
        let awaited = self.header_since.load(Ordering::Relaxed) != 0;
        if awaited && self.header_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes >= PREFACE {
            self.header_since.store(0, Ordering::Relaxed);
        }
    }

    /// Bytes came that nobody wants.
    pub(crate) fn discarded(&self, bytes: usize) {
        self.metrics.received.inc_by(bytes as u64);
    }

    /// Whether an answer may have gone ahead of the end of its request.
    pub(crate) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed) && !self.is_http2()
    }

    /// The peer took bytes.
    pub(crate) fn sent(&self, bytes: usize) {
        self.metrics.sent.inc_by(bytes as u64);
        if self.blocked_since.load(Ordering::Relaxed) != 0 {
            self.blocked_since.store(0, Ordering::Relaxed);
        }
    }

    /// The peer takes no bytes now.
    pub(crate) fn blocked(&self) {
        if self.blocked_since.load(Ordering::Relaxed) == 0 {
            self.blocked_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Whether the header that is coming in has had its time.
    pub(crate) fn header_timed_out(&self) -> bool {
        self.header_timed_out.load(Ordering::Relaxed)
    }

    /// All answers have left, and nobody has asked for another: what is written now is no answer of a door.
    pub(crate) fn flushed(&self) {
        if !self.is_http2() && self.in_flight.load(Ordering::Relaxed) == 0 {
            self.unasked.store(true, Ordering::Relaxed);
        }
    }

    /// Whether no request was understood since the last answer left.
    pub(crate) fn is_unasked(&self) -> bool {
        self.unasked.load(Ordering::Relaxed) && !self.is_http2()
    }

    /// What is said to a header that is too long: what most of it is.
    pub(crate) fn too_long(&self) -> Refusal {
        let header = self.header_bytes.load(Ordering::Relaxed);
        if self.first_line_bytes.load(Ordering::Relaxed) > header / 2 {
            Refusal::UriTooLong
        } else {
            Refusal::HeaderTooLong
        }
    }

    /// How many bytes of a header came, and since when.
    pub(crate) fn header(&self) -> (u64, Duration) {
        let since = self.header_since.load(Ordering::Relaxed);
        let took = if since == 0 { 0 } else { self.now().saturating_sub(since) };
        (self.header_bytes.load(Ordering::Relaxed), Duration::from_millis(took))
    }

    /// Tells the socket to end a header that has been on its way for longer than `limit`, if it has.
    pub(crate) fn end_slow_header(&self, limit: Duration) {
        if self.longer_than(&self.header_since, limit) {
            self.header_timed_out.store(true, Ordering::Relaxed);
        }
    }

    /// Waits no longer for a preface that is not there yet.
    pub(crate) fn end_preface(&self) {
        if self.is_http2() {
            self.end_slow_header(Duration::ZERO);
        }
    }

    /// Whether everything that was to be said over HTTP/2 is on its way, and nothing is being asked.
    pub(crate) fn has_said_all(&self) -> bool {
        self.is_http2()
            && self.in_flight.load(Ordering::Relaxed) == 0
            && self.blocked_since.load(Ordering::Relaxed) == 0
    }

    /// Whether the peer has taken nothing for too long.
    pub(crate) fn is_stuck(&self, limit: Duration) -> bool {
        self.longer_than(&self.blocked_since, limit)
    }

    /// Whether a piece of an answer is on its way for too long, though the peer takes bytes now and then.
    pub(crate) fn holds_too_long(&self, limit: Duration) -> bool {
        self.held.longer_than(limit)
    }

    /// Whether there was no request for too long.
    pub(crate) fn is_idle(&self, limit: Duration) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0
            && self.header_since.load(Ordering::Relaxed) == 0
            && self.longer_than(&self.idle_since, limit)
    }

    /// Whether a request may be on its way that the program has not seen yet, of which HTTP/2 would lose nothing but the first.
    pub(crate) fn may_be_asking(&self) -> bool {
        let begins = !self.served.load(Ordering::Relaxed) && !self.is_http2();
        self.in_flight.load(Ordering::Relaxed) == 0
            && (begins || self.header_since.load(Ordering::Relaxed) != 0)
    }
}

impl InFlight {
    /// The rest of the body will not be read.
    pub(crate) fn leave_unread(&self) {
        self.activity.unread.store(true, Ordering::Relaxed);
    }

    /// A piece of the answer is handed on; the same bytes.
    pub(crate) fn hand_on(&self, piece: Bytes) -> Bytes {
        match &self.stream {
            Some(stream) => stream.held.watch(piece),
            // A window takes nothing of the budget.
            None if self.activity.lent.holds(&piece) => piece,
            None => self.activity.held.watch(piece),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.activity;
        activity.idle_since.store(activity.now(), Ordering::Relaxed);
        activity.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use berth_blobs::{Lender, StoredFile, Stretch};
    use berth_oci::ByteRange;

    use super::*;

    #[derive(Debug)]
    struct Nobody;

    impl Lender for Nobody {
        fn unreadable(self: Arc<Self>, _: ByteRange) {}
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_memory_is_watched_and_a_window_is_not_whatever_their_size() {
        for size in [1, 1 << 20] {
            let activity = Activity::new(Metrics::new(Vec::new()));
            let in_flight = activity.begin();
            let file = StoredFile::new(tempfile::tempfile().unwrap());
            let stretch = Stretch { file, part: ByteRange { start: 0, end: size } };
            let bytes = || Bytes::from(vec![b'b'; usize::try_from(size).unwrap()]);
            let window = in_flight.hand_on(activity.lent.lend(bytes(), stretch, Arc::new(Nobody)));
            assert!(!activity.holds_too_long(Duration::ZERO), "{size}");
            let memory = in_flight.hand_on(bytes());
            assert!(activity.holds_too_long(Duration::ZERO), "{size}");
            assert_eq!(window, memory);
        }
    }
}
