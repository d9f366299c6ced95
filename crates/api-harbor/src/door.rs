//! The door itself: from a request to its answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use berth_access::Gate;
use berth_http::{AskedBy, RequestBody, RouteName};
use berth_management::Management;
use berth_registry::BufferPool;
use bytes::Bytes;

use crate::call::Call;
use crate::error::Error;
use crate::route::{Arguments, Found, Route, find};
use crate::settings::HarborSettings;
use crate::visitor::Visitor;
use crate::{body, csrf};

/// Answers `/api` and `/c` and every path below them; any other path gets 404. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) management: Management,
    pub(crate) gate: Gate,
    /// Where bodies that come in are kept.
    pub(crate) buffers: BufferPool,
    pub(crate) settings: HarborSettings,
}

impl Door {
    /// A door to `management`, through `gate`; bodies come in through `buffers`, which nobody else should wait for.
    #[must_use]
    pub fn new(management: Management, gate: Gate, buffers: BufferPool, settings: HarborSettings) -> Self {
        Self { inner: Arc::new(Inner { management, gate, buffers, settings }) }
    }

    /// Answers one request; every failure is an answer too.
    pub async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = RequestBody::new(&parts.headers, body);
        let is_head = parts.method == Method::HEAD;
        let (name, mut answer) = match find(&parts.method, parts.uri.path()) {
            Found::Route(route, arguments) => {
                (route.operation.id, self.inner.answer(route, arguments, &parts, body).await)
            }
            Found::Methods(methods) => ("none", Error::method(&methods).answer(&parts)),
            Found::Nothing => ("none", Error::path(parts.uri.path()).answer(&parts)),
        };
        if is_head {
            // What GET would say, the length included, without the bytes.
            *answer.body_mut() = Body::empty();
        }
        // Whose answer it is depends on credentials, and some carry secrets.
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer.extensions_mut().insert(RouteName(name));
        answer
    }
}

impl Inner {
    /// First who it is, then what they want.
    async fn answer(
        &self,
        route: &'static Route,
        arguments: Arguments<'_>,
        parts: &Parts,
        body: RequestBody,
    ) -> Response {
        let visitor = match Visitor::of(self, route.operation, parts).await {
            Ok(visitor) => visitor,
            Err(error) => return error.answer(parts),
        };
        let answer = self.handle(route, arguments, parts, body, &visitor).await;
        let mut answer = answer.unwrap_or_else(|error| error.answer(parts));
        visitor.describe(self, parts, answer.headers_mut());
        // A log-in has said already whose it is.
        answer.extensions_mut().get_or_insert_with(|| AskedBy(visitor.caller.actor));
        answer
    }

    async fn handle(
        &self,
        route: &'static Route,
        arguments: Arguments<'_>,
        parts: &Parts,
        body: RequestBody,
        visitor: &Visitor,
    ) -> Result<Response, Error> {
        csrf::check(self.gate.authenticator(), visitor, parts)?;
        let body: Bytes = body::read(self, route.operation, &visitor.caller, parts, body).await?;
        let caller = &visitor.caller;
        let management = self.management.as_caller(caller);
        (route.handler)(&Call { management, caller, door: self, parts, arguments, body }).await
    }
}
