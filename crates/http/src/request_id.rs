//! Request ids: every request has one, every answer says it, every line of the log about it holds it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// The header that carries a request id, in both directions.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client.
const LONGEST: usize = 128;

/// The id of one request; in the extensions of the request and of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id that a client or a proxy gave, if it is one that can go into logs and headers as it is: 1 to 128 letters, digits
    /// and `._:/+=@-`.
    fn given(value: &HeaderValue) -> Option<Self> {
        let sane = |b: &u8| b.is_ascii_alphanumeric() || b"._:/+=@-".contains(b);
        let bytes = value.as_bytes();
        ((1..=LONGEST).contains(&bytes.len()) && bytes.iter().all(sane)).then(|| Self(value.clone()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes ids: a random number that the process drew at its start, and a counter.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids that begin with `process`, a random number.
    #[must_use]
    pub fn new(process: u64) -> Self {
        Self { process, next: AtomicU64::new(1) }
    }

    /// A new id.
    #[must_use]
    pub fn make(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = bytes::Bytes::from(format!("{:016x}-{number:x}", self.process));
        let value = HeaderValue::from_maybe_shared(text);
        RequestId(value.unwrap_or_else(|_| unreachable!("hex digits can stand in a header")))
    }
}

/// Gives every request an id: the one it brings if that is sane, else a new one. Handlers find it in the extensions.
#[derive(Clone, Debug)]
pub struct RequestIdLayer {
    ids: Arc<RequestIds>,
}

impl RequestIdLayer {
    /// A layer that makes ids by `ids`.
    #[must_use]
    pub fn new(ids: RequestIds) -> Self {
        Self { ids: Arc::new(ids) }
    }

    /// A new id, for an answer that no request led to.
    #[must_use]
    pub fn make(&self) -> RequestId {
        self.ids.make()
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestIdService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestIdService { inner, ids: Arc::clone(&self.ids) }
    }
}

/// The service that [`RequestIdLayer`] wraps around another one.
#[derive(Clone, Debug)]
pub struct RequestIdService<S> {
    inner: S,
    ids: Arc<RequestIds>,
}

impl<S, B, C> Service<Request<B>> for RequestIdService<S>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let given = request.headers().get(&REQUEST_ID).and_then(RequestId::given);
        let id = given.unwrap_or_else(|| self.ids.make());
        request.extensions_mut().insert(id.clone());
        Answering { inner: self.inner.call(request), id: Some(id) }
    }
}

pin_project! {
    /// Puts the id into the answer when it comes.
    #[derive(Debug)]
    pub struct Answering<F> {
        #[pin]
        inner: F,
        id: Option<RequestId>,
    }
}

impl<F, C, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(cx))?;
        if let Some(id) = this.id.take() {
            answer.headers_mut().insert(&REQUEST_ID, id.0.clone());
            answer.extensions_mut().insert(id);
        }
        Poll::Ready(Ok(answer))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use tower::ServiceExt;

    use super::*;

    async fn asked_with(id: Option<&str>) -> String {
        let service =
            RequestIdLayer::new(RequestIds::new(7)).layer(tower::service_fn(async |request: Request<()>| {
                let seen = request.extensions().get::<RequestId>().map(ToString::to_string);
                Ok::<_, Infallible>(Response::new(seen))
            }));
        let mut request = Request::new(());
        if let Some(id) = id {
            request.headers_mut().insert(&REQUEST_ID, id.parse().expect("a header"));
        }
        let answer = service.oneshot(request).await.expect("infallible");
        let echoed = answer.headers()[&REQUEST_ID].to_str().expect("text").to_owned();
        assert_eq!(answer.body().as_deref(), Some(echoed.as_str()), "the handler sees what the client sees");
        echoed
    }

    #[tokio::test]
    async fn keeps_a_sane_id_and_replaces_any_other() {
        assert_eq!(asked_with(Some("abc-1.2/3")).await, "abc-1.2/3");
        for bad in [None, Some(""), Some("a b"), Some("x\"y"), Some("é"), Some(&*"a".repeat(129))] {
            assert_eq!(asked_with(bad).await, "0000000000000007-1", "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_can_stand_in_a_log(bytes in prop::collection::vec(any::<u8>(), 0..140)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes)
                && let Some(id) = RequestId::given(&value)
            {
                prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'));
                prop_assert_eq!(id.as_str().as_bytes(), bytes);
            }
        }
    }
}
