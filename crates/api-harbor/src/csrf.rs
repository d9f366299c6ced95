//! Requests that a page of somebody else makes a browser send, with the user's cookie and without the user's will.
//!
//! Two walls. A browser says from where a request comes (`Sec-Fetch-Site`, else `Origin`): what changes something and comes from
//! another site is refused, whatever the credentials. And a session's cookie changes nothing without the session's token in
//! `X-Harbor-CSRF-Token`, which every answer to a session carries and no other page can read. The token is bound to the session; the
//! cookie `_gorilla_csrf` beside it exists because clients of Harbor wait for it, and proves nothing.

use axum::http::header::{ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use berth_access::Secret;
use berth_access::authenticator::Authenticator;
use berth_http::rest::{Code, Refusal};
use berth_http::{Origin, Scheme, cookies};

use crate::visitor::Visitor;

static TOKEN: HeaderName = HeaderName::from_static("x-harbor-csrf-token");
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const BESIDE: &str = "_gorilla_csrf";

/// Whether the request may change something, as far as it can be told from where it comes.
pub(crate) fn check(authenticator: &Authenticator, visitor: &Visitor, parts: &Parts) -> Result<(), Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
        return Ok(());
    }
    if from_elsewhere(parts) {
        return Err(forbidden("a page of another site may not do this"));
    }
    let Some(session) = &visitor.session else { return Ok(()) };
    let shown = parts.headers.get(&TOKEN).and_then(|token| token.to_str().ok());
    match shown {
        Some(token) if authenticator.verify_csrf(session, token) => Ok(()),
        Some(_) => Err(forbidden(
            "CSRF token invalid: send the X-Harbor-CSRF-Token that the last answer to this session carried",
        )),
        None => Err(forbidden(
            "CSRF token not found in request: send the X-Harbor-CSRF-Token of this answer back with the session's cookie",
        )),
    }
}

fn forbidden(words: &'static str) -> Refusal {
    Refusal::new(Code::Forbidden, words)
}

/// Whether a browser says that a page of another site makes it send this. Programs say neither.
fn from_elsewhere(parts: &Parts) -> bool {
    let header = |name: &HeaderName| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (header(&FETCH_SITE), header(&ORIGIN)) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => Origin::of(&parts.extensions).is_none_or(|here| {
            let host = origin.split_once("://").map_or(origin, |(_, host)| host);
            !host.eq_ignore_ascii_case(&here.host)
        }),
        (None, None) => false,
    }
}

/// Says the session's token in an answer, and sets the cookie beside it where it is missing.
pub(crate) fn describe(
    authenticator: &Authenticator,
    session: &Secret,
    parts: &Parts,
    headers: &mut HeaderMap,
) {
    // Hex digits can stand in a header.
    if let Ok(token) = HeaderValue::try_from(authenticator.csrf(session)) {
        headers.insert(&TOKEN, token);
    }
    if cookies::value(&parts.headers, BESIDE).is_none() {
        let secure = Origin::of(&parts.extensions).is_some_and(|origin| origin.scheme == Scheme::Https);
        let cookie = if secure {
            "_gorilla_csrf=bound-to-sid; Path=/; HttpOnly; SameSite=Strict; Secure"
        } else {
            "_gorilla_csrf=bound-to-sid; Path=/; HttpOnly; SameSite=Strict"
        };
        headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
    }
}
