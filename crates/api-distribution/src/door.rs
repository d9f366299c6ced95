//! The door itself: all routes on one screen.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::http::header::{WARNING, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::response::Response;
use berth_access::{Caller, Gate};
use berth_http::{AskedBy, RequestBody, RouteName, reminder};
use berth_registry::{BufferPool, Entrance};

use crate::call::Call;
use crate::caller::{Sender, caller};
use crate::error::Error;
use crate::settings::DistributionSettings;
use crate::slots::Slots;
use crate::{
    Route, base, blobs, catalog, challenge, extensions, manifests, referrers, tags, token, uploads, version,
};

/// Answers every path that it [`owns`](Self::owns); any other path gets 404. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) registry: Entrance,
    pub(crate) gate: Gate,
    pub(crate) settings: DistributionSettings,
    /// Where forms are kept, which anybody may send.
    pub(crate) forms: BufferPool,
    /// For the bodies that are coming in.
    pub(crate) slots: Slots,
}

impl Door {
    /// A door to `registry`, through `gate`. Forms come in through `forms`, which no push should wait for.
    #[must_use]
    pub fn new(registry: Entrance, gate: Gate, forms: BufferPool, settings: DistributionSettings) -> Self {
        let slots = Slots::new(settings.concurrent_uploads);
        Self { inner: Arc::new(Inner { registry, gate, settings, forms, slots }) }
    }

    /// Whether a path is this door's: `/v2`, what is below it, and the service of tokens.
    #[must_use]
    pub fn owns(path: &str) -> bool {
        path == "/v2" || path.starts_with("/v2/") || path.starts_with("/service/")
    }

    /// How many bodies of blobs are coming in.
    #[must_use]
    pub fn blobs_coming_in(&self) -> usize {
        self.inner.slots.blobs()
    }

    /// Answers one request; every failure is an answer too.
    pub async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = RequestBody::new(&parts.headers, body);
        let is_head = parts.method == Method::HEAD;
        let (name, mut answer) = if parts.uri.path().starts_with("/service/") {
            self.inner.serve_tokens(&parts, body).await
        } else {
            self.inner.serve_registry(&parts, body).await
        };
        if is_head {
            // What GET would say, the length included, without the bytes.
            *answer.body_mut() = Body::empty();
        }
        version::say(answer.headers_mut());
        answer.extensions_mut().insert(RouteName(name));
        answer
    }
}

impl Inner {
    async fn serve_tokens(&self, parts: &Parts, body: RequestBody) -> (&'static str, Response) {
        let (name, result) = token::answer(self, parts, body).await;
        let mut answer = result.unwrap_or_else(|error| error.answer(&Sender::of(parts).request_id));
        token::challenge(&mut answer);
        (name, answer)
    }

    async fn serve_registry(&self, parts: &Parts, body: RequestBody) -> (&'static str, Response) {
        let route = match Route::parse(parts.uri.path()) {
            Ok(route) => route,
            Err(error) => return ("none", self.refuse(&error.into(), parts, None)),
        };
        let answer = match caller(&self.gate, parts).await {
            Ok(caller) => {
                let mut answer = self.ask(&route, &caller, parts, body).await;
                answer.extensions_mut().insert(AskedBy(caller.actor));
                answer
            }
            Err(error) => self.refuse(&error, parts, Some(&route)),
        };
        (route.name(), answer)
    }

    async fn ask(&self, route: &Route, caller: &Caller, parts: &Parts, body: RequestBody) -> Response {
        let call = Call::new(self, caller, parts);
        let answer = handle(&call, route, body).await;
        let mut answer = answer.unwrap_or_else(|error| self.refuse(&error, parts, Some(route)));
        let ends_at = self.gate.known_end(caller);
        if let Some(warning) = reminder(ends_at, self.gate.now()) {
            answer.headers_mut().append(WARNING, warning);
        }
        answer
    }

    /// The answer to a request that failed; who might get further with other credentials is told where to get them.
    fn refuse(&self, error: &Error, parts: &Parts, route: Option<&Route>) -> Response {
        let mut answer = error.answer(&Sender::of(parts).request_id);
        if let Some(wrong) = error.challenge()
            && let Some(challenge) = challenge::bearer(parts, self.gate.service(), route, wrong)
        {
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

/// Every endpoint of the API.
async fn handle(call: &Call<'_>, route: &Route, body: RequestBody) -> Result<Response, Error> {
    match (route, &call.parts.method) {
        (Route::Base, &Method::GET | &Method::HEAD) => base::get(call).await,
        (Route::Catalog, &Method::GET | &Method::HEAD) => catalog::list(call).await,
        (Route::ExtensionsDiscover, &Method::GET | &Method::HEAD) => Ok(extensions::discover()),
        (Route::RepositoryExtensions { repository }, &Method::GET | &Method::HEAD) => {
            extensions::discover_in(call, repository).await
        }
        (Route::Blob { repository, digest }, &Method::GET) => blobs::get(call, repository, digest).await,
        (Route::Blob { repository, digest }, &Method::HEAD) => blobs::head(call, repository, digest).await,
        (Route::Blob { repository, digest }, &Method::DELETE) => {
            blobs::delete(call, repository, digest).await
        }
        (Route::Uploads { repository }, &Method::POST) => uploads::start(call, repository, body).await,
        (Route::Upload { repository, id }, &Method::GET | &Method::HEAD) => {
            uploads::get(call, repository, *id).await
        }
        (Route::Upload { repository, id }, &Method::PATCH) => {
            uploads::patch(call, repository, *id, body).await
        }
        (Route::Upload { repository, id }, &Method::PUT) => uploads::put(call, repository, *id, body).await,
        (Route::Upload { repository, id }, &Method::DELETE) => uploads::delete(call, repository, *id).await,
        (Route::Manifest { repository, reference }, &Method::GET | &Method::HEAD) => {
            manifests::get(call, repository, reference).await
        }
        (Route::Manifest { repository, reference }, &Method::PUT) => {
            manifests::put(call, repository, reference, body).await
        }
        (Route::Manifest { repository, reference }, &Method::DELETE) => {
            manifests::delete(call, repository, reference).await
        }
        (Route::Tags { repository }, &Method::GET | &Method::HEAD) => tags::list(call, repository).await,
        (Route::Referrers { repository, subject }, &Method::GET | &Method::HEAD) => {
            referrers::list(call, repository, subject).await
        }
        (route, _) => Err(Error::Method { allow: route.allow() }),
    }
}
