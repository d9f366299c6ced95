//! One line a request, when its answer has left; and its place in the metrics.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body as Answer;
use axum::http::{Method, StatusCode};
use berth_domain::ActorKind;
use berth_http::{AskedBy, RequestId};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use crate::activity::InFlight;
use crate::metrics::Metrics;

/// What is known of a request while it lasts.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) started: Instant,
    pub(crate) method: Method,
    /// The path without its query, if a line is to be written.
    pub(crate) path: Option<String>,
    pub(crate) peer: SocketAddr,
    /// Who asked, if `peer` is a proxy that is believed.
    pub(crate) client: Option<IpAddr>,
    pub(crate) received: AtomicU64,
    /// Whether anybody looked at the body, which tells a waiting client to send it.
    pub(crate) wanted: AtomicBool,
    pub(crate) metrics: Arc<Metrics>,
}

/// A request's body, counted; the request is under way as long as it is there.
#[derive(Debug)]
pub(crate) struct Counted {
    body: Incoming,
    /// Whether all of it was read.
    ended: bool,
    exchange: Arc<Exchange>,
    in_flight: Arc<InFlight>,
}

impl Counted {
    pub(crate) fn new(body: Incoming, exchange: Arc<Exchange>, in_flight: Arc<InFlight>) -> Self {
        Self { body, ended: false, exchange, in_flight }
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.exchange.wanted.store(true, Ordering::Relaxed);
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.exchange.received.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        self.ended |= matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.in_flight.leave_unread();
        }
    }
}

/// What the line says of an answer.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) route: &'static str,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) asked_by: Option<AskedBy>,
}

/// An answer's body; when it is dropped, the request is over and leaves its line.
#[derive(Debug)]
pub(crate) struct Leaving {
    body: Answer,
    said: Said,
    sent: u64,
    exchange: Arc<Exchange>,
    in_flight: Arc<InFlight>,
}

impl Leaving {
    pub(crate) fn new(body: Answer, said: Said, exchange: Arc<Exchange>, in_flight: Arc<InFlight>) -> Self {
        Self { body, said, sent: 0, exchange, in_flight }
    }
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.sent += data.len() as u64;
        }
        frame.map_ok(|frame| frame.map_data(|data| self.in_flight.hand_on(data)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let (exchange, said) = (&self.exchange, &self.said);
        let took = exchange.started.elapsed();
        exchange.metrics.answered(said.route, Some(&exchange.method), said.status, took);
        if let Some(path) = &exchange.path {
            let actor = said.asked_by.as_ref().map(|AskedBy(actor)| actor);
            let actor = actor.filter(|actor| actor.kind != ActorKind::Anonymous);
            tracing::info!(
                target: "access",
                request_id = said.request_id.as_ref().map(RequestId::as_str),
                peer = %exchange.peer,
                client = exchange.client.map(tracing::field::display),
                kind = actor.map_or(ActorKind::Anonymous, |actor| actor.kind).as_str(),
                name = actor.map(|actor| actor.name.as_str()),
                method = %exchange.method,
                path,
                route = said.route,
                status = said.status.as_u16(),
                received = exchange.received.load(Ordering::Relaxed),
                sent = self.sent,
                micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            );
        }
    }
}
