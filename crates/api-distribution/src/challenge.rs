//! The header that tells a client where to get a token, and for what (RFC 6750 §3, docker's token authentication).
//!
//! There is one `WWW-Authenticate` header with one challenge, because clients read the first and only that.

use std::fmt::Write as _;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use berth_http::{Origin, query};
use berth_oci::RepositoryName;

use crate::{Route, ServiceRoute};

/// What might help whoever was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Credentials: none were shown, or wrong ones.
    Credentials,
    /// Another token than the one that was shown, for this reason (RFC 6750 §3.1).
    Token(&'static str),
}

/// The challenge to whoever asked `route` in vain.
pub(crate) fn bearer(
    parts: &Parts,
    service: &str,
    route: Option<&Route>,
    challenge: Challenge,
) -> Option<HeaderValue> {
    let host = Origin::of(&parts.extensions).filter(|origin| !origin.host.is_empty());
    // Who names no host gets a path, which some clients can use.
    let realm = host.map(Origin::url).unwrap_or_default();
    let path = ServiceRoute::TOKEN_PATH;
    let mut text = format!("Bearer realm=\"{realm}{path}\",service=\"{service}\"");
    let scope = route.map(|route| scope(route, parts)).unwrap_or_default();
    if !scope.is_empty() {
        let _ = write!(text, ",scope=\"{scope}\"");
    }
    if let Challenge::Token(error) = challenge {
        let _ = write!(text, ",error=\"{error}\"");
    }
    HeaderValue::try_from(text).ok()
}

/// The scopes that the request needs, as a client asks for them.
fn scope(route: &Route, parts: &Parts) -> String {
    let method = &parts.method;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match route {
        Route::Base | Route::ExtensionsDiscover => String::new(),
        Route::Catalog => "registry:catalog:*".to_owned(),
        Route::Uploads { repository } => {
            let own = of(repository, "pull,push");
            let from = query::first(parts.uri.query().unwrap_or_default(), "from");
            match from.and_then(|from| from.parse::<RepositoryName>().ok()) {
                Some(from) => format!("{own} {}", of(&from, "pull")),
                None => own,
            }
        }
        Route::Upload { repository, .. } => of(repository, "pull,push"),
        Route::Blob { repository, .. } | Route::Manifest { repository, .. } if *method == Method::DELETE => {
            of(repository, "delete")
        }
        Route::Manifest { repository, .. } if !reads => of(repository, "pull,push"),
        Route::RepositoryExtensions { repository }
        | Route::Blob { repository, .. }
        | Route::Manifest { repository, .. }
        | Route::Tags { repository }
        | Route::Referrers { repository, .. } => of(repository, "pull"),
    }
}

fn of(repository: &RepositoryName, actions: &str) -> String {
    format!("repository:{repository}:{actions}")
}
