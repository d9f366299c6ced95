//! One request: limits, health, the door, and what is noted of it.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Version};
use axum::response::Response;
use berth_api_distribution::{Door as Distribution, version};
use berth_http::{AskedBy, ConnectionInfo, Origins, RequestId, RequestIdLayer, RouteName, names_its_host};
use berth_registry::unbroken;
use futures::FutureExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Layer, ServiceExt, service_fn};

use crate::access_log::{Counted, Exchange, Leaving, Said};
use crate::activity::Activity;
use crate::answer;
use crate::doors::{Door, Doors};
use crate::health::{Health, is_health};
use crate::metrics::Metrics;

/// What all requests of a listener share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The doors, unless nothing but health is served.
    pub(crate) doors: Option<Doors>,
    /// Health, unless it has a listener of its own.
    pub(crate) health: Option<Arc<Health>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) origins: Origins,
    pub(crate) request_ids: RequestIdLayer,
    pub(crate) header_limit: u64,
    pub(crate) uri_limit: u64,
    pub(crate) access_log: bool,
    /// Handlers that must come to their end.
    pub(crate) handlers: TaskTracker,
    /// Done when connections are to close.
    pub(crate) closing: CancellationToken,
}

/// Answers one request.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    activity: Arc<Activity>,
    connection: ConnectionInfo,
    request: Request<Incoming>,
) -> Result<Response<Leaving>, Infallible> {
    let in_flight = activity.begin();
    let version = request.version();
    let plain = connection.is_plain(version);
    let waits = request.headers().contains_key(EXPECT) && !request.body().is_end_stream();
    let path = request.uri().path();
    let origin = shared.origins.origin(&connection, request.uri(), request.headers());
    let exchange = Arc::new(Exchange {
        started: Instant::now(),
        method: request.method().clone(),
        path: (shared.access_log && !is_health(path)).then(|| path.to_owned()),
        peer: connection.peer,
        client: origin.address.filter(|address| *address != connection.peer.ip().to_canonical()),
        received: 0.into(),
        wanted: false.into(),
        metrics: Arc::clone(&shared.metrics),
    });
    let mut request = request.map(|body| Counted::new(body, Arc::clone(&exchange), Arc::clone(&in_flight)));
    request.extensions_mut().insert(origin);
    request.extensions_mut().insert(connection);
    if plain {
        request.extensions_mut().insert(activity.lent.clone());
    }
    let asked = Arc::clone(&shared);
    let routed = service_fn(move |request| {
        let shared = Arc::clone(&asked);
        async move { Ok::<_, Infallible>(answer_with_version(&shared, request).await) }
    });
    let Ok(mut answer) = shared.request_ids.layer(routed).oneshot(request).await;
    // Whoever waited to be told to send may send nothing now, or all of it: where the next request begins, nobody knows.
    let unsent = waits && !exchange.wanted.load(Ordering::Relaxed);
    if version <= Version::HTTP_11 && (unsent || shared.closing.is_cancelled()) {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let said = Said {
        status: answer.status(),
        route: answer.extensions().get::<RouteName>().map_or("unknown", |route| route.0),
        request_id: answer.extensions_mut().remove::<RequestId>(),
        asked_by: answer.extensions_mut().remove::<AskedBy>(),
    };
    Ok(answer.map(|body| Leaving::new(body, said, exchange, in_flight)))
}

/// The answer to a request. One below `/v2/` is a registry's, whoever gives it, and says the version of its API.
async fn answer_with_version(shared: &Arc<Shared>, request: Request<Counted>) -> Response {
    let of_registry = shared.doors.is_some() && Distribution::owns(request.uri().path());
    let mut answer = decide(shared, request).await;
    if of_registry {
        version::say(answer.headers_mut());
    }
    answer
}

async fn decide(shared: &Arc<Shared>, request: Request<Counted>) -> Response {
    let uri = request.uri();
    let path = uri.path();
    let long_uri = (path.len() + uri.query().map_or(0, |query| query.len() + 1)) as u64 > shared.uri_limit;
    if request.version() == Version::HTTP_2 && header_length(&request) > shared.header_limit {
        return if long_uri { answer::uri_too_long(shared.uri_limit) } else { answer::header_too_long() };
    }
    if !names_its_host(request.version(), request.headers()) {
        return answer::no_host();
    }
    if !is_plainly_coded(request.headers()) {
        return answer::unknown_coding();
    }
    if let Some(health) = &shared.health
        && is_health(path)
    {
        return health.answer(request.method(), path).await;
    }
    if long_uri {
        return answer::uri_too_long(shared.uri_limit);
    }
    let Some(door) = shared.doors.as_ref().and_then(|doors| doors.of(path)) else {
        return answer::nothing_here();
    };
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return at_door(door, request).await;
    }
    // Whatever changes something comes to its end, even when the client goes away; the end of the process waits for it.
    let waited_for = shared.handlers.token();
    unbroken(async move {
        let answer = at_door(door, request).await;
        drop(waited_for);
        answer
    })
    .await
}

/// The door's answer; a panic behind it is answered too.
async fn at_door(door: Door, request: Request<Counted>) -> Response {
    let answering = AssertUnwindSafe(door.answer(request.map(Body::new)));
    answering.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        answer::failed()
    })
}

/// How long the header would be over HTTP/1.1.
fn header_length(request: &Request<Counted>) -> u64 {
    let uri = request.uri();
    let line = request.method().as_str().len() + uri.path_and_query().map_or(0, |whole| whole.as_str().len());
    let host = uri.authority().map_or(0, |host| "host: \r\n".len() + host.as_str().len());
    let fields =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    (line + "  HTTP/1.1\r\n\r\n".len() + host + fields.sum::<usize>()) as u64
}

/// Whether the body came in no transfer coding but chunks, once: what is kept is what was sent, and nothing here undoes another one.
fn is_plainly_coded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"))
        && codings.next().is_none()
}
