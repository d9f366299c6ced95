//! `/service/token`: where docker's clients get their tokens, by GET as docker has it and by POST as OAuth has it; and the public
//! halves of the keys, for whoever wants to check a token without asking.

use axum::http::header::{CACHE_CONTROL, WARNING, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use berth_access::authenticator::{Credentials, Purpose};
use berth_access::scope::parse_scopes;
use berth_access::token_service::Granted;
use berth_access::{Caller, Gate, Secret};
use berth_http::rest::{form, time};
use berth_http::{AskedBy, CollectError, RequestBody, reminder};
use serde::Serialize;

use crate::answer;
use crate::caller::{Sender, caller};
use crate::door::Inner;
use crate::error::Error;
use crate::service_route::ServiceRoute;

/// The longest form; a hundred scopes fit.
const LONGEST_FORM: usize = 128 << 10;

/// What a client gets. Old ones read `token`, new ones `access_token`.
#[derive(Serialize)]
struct Answer {
    token: String,
    access_token: String,
    expires_in: u64,
    issued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// What a client asks for.
struct Wish<'a> {
    scopes: Vec<std::borrow::Cow<'a, str>>,
    client_id: String,
    offline: bool,
    /// Whether the answer repeats what was granted, as OAuth wants it.
    says_scope: bool,
}

/// Answers everything under `/service/`: the name of the route, and the answer.
pub(crate) async fn answer(
    door: &Inner,
    parts: &Parts,
    body: RequestBody,
) -> (&'static str, Result<Response, Error>) {
    let Some(route) = ServiceRoute::parse(parts.uri.path()) else {
        return ("none", Err(Error::Route(crate::RouteError::Nothing)));
    };
    let answer = match (route, &parts.method) {
        (ServiceRoute::Token, &Method::GET | &Method::HEAD) => get(door, parts).await,
        (ServiceRoute::Token, &Method::POST) => post(door, parts, body).await,
        (ServiceRoute::Keys, &Method::GET | &Method::HEAD) => Ok(keys(&door.gate)),
        (route, _) => Err(Error::Method { allow: route.allow() }),
    };
    (route.name(), answer)
}

/// A failure of the token service: who shows no or wrong credentials is asked for a name and a secret.
pub(crate) fn challenge(answer: &mut Response) {
    if answer.status() == axum::http::StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"berth\""));
    }
}

async fn get(door: &Inner, parts: &Parts) -> Result<Response, Error> {
    let query = parts.uri.query().unwrap_or_default();
    is_for_us(&door.gate, form::first(query, "service").as_deref())?;
    let caller = caller(&door.gate, parts).await?;
    let scopes: Vec<_> =
        form::pairs(query).filter(|(name, _)| name == "scope").map(|(_, value)| value).collect();
    if caller.is_anonymous() && scopes.is_empty() {
        return Err(Error::Credentials("log in first: there is a token without scope for accounts only"));
    }
    let wish = Wish {
        scopes,
        client_id: form::first(query, "client_id").unwrap_or_default().into_owned(),
        offline: form::first(query, "offline_token").is_some_and(|value| value == "true"),
        says_scope: false,
    };
    issue(&door.gate, &caller, wish).await
}

async fn post(door: &Inner, parts: &Parts, body: RequestBody) -> Result<Response, Error> {
    let collected = body.collect(door.settings.body_timeout, LONGEST_FORM, &door.forms).await;
    let bytes = collected.map_err(|error| match error {
        CollectError::TooLong => Error::Form("the form is too long: ask for fewer scopes at once"),
        CollectError::Body(_) => Error::Form("the form did not come to its end: send it again"),
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::Form("the form is not UTF-8: encode it so"))?;
    let field = |name: &str| form::first(text, name);
    is_for_us(&door.gate, field("service").as_deref())?;
    let caller = granted_caller(&door.gate, parts, text).await?;
    let wish = Wish {
        scopes: form::pairs(text).filter(|(name, _)| name == "scope").map(|(_, value)| value).collect(),
        client_id: field("client_id").unwrap_or_default().into_owned(),
        offline: field("access_type").is_some_and(|value| value == "offline"),
        says_scope: true,
    };
    issue(&door.gate, &caller, wish).await
}

/// Whoever shows what the form says.
async fn granted_caller(gate: &Gate, parts: &Parts, text: &str) -> Result<Caller, Error> {
    let Sender { address, request_id } = Sender::of(parts);
    let field = |name: &'static str| form::first(text, name).filter(|value| !value.is_empty());
    match field("grant_type").as_deref() {
        Some("password") => {
            let (Some(login), Some(secret)) = (field("username"), field("password")) else {
                return Err(Error::Form("the password grant needs username and password: send both"));
            };
            let secret = Secret::new(secret);
            let (login, request_id, purpose) = (&*login, request_id.as_str(), Purpose::Registry);
            let shown = Credentials { login, secret: &secret, purpose, address, request_id };
            Ok(gate.authenticator().basic(&shown).await?)
        }
        Some("refresh_token") => {
            let shown = field("refresh_token").ok_or(Error::Form(
                "the refresh_token is missing: send the one that you have, or a password",
            ))?;
            Ok(gate.redeem(&Secret::new(shown), address, request_id).await?)
        }
        _ => Err(Error::Form("grant_type must be password or refresh_token")),
    }
}

fn is_for_us(gate: &Gate, service: Option<&str>) -> Result<(), Error> {
    match service {
        Some(service) if service == gate.service() => Ok(()),
        _ => Err(Error::Service { service: gate.service().to_owned() }),
    }
}

async fn issue(gate: &Gate, caller: &Caller, wish: Wish<'_>) -> Result<Response, Error> {
    let asked = parse_scopes(wish.scopes.iter().map(AsRef::as_ref))?;
    let Granted { token, access } = gate.issue(caller, &asked).await?;
    let refresh_token = if wish.offline { gate.refresh_token(caller, &wish.client_id).await? } else { None };
    let scopes = access
        .iter()
        .map(|granted| format!("{}:{}:{}", granted.kind, granted.name, granted.actions.join(",")));
    let text = token.token.reveal().to_owned();
    let mut answer = fresh(&Answer {
        access_token: text.clone(),
        token: text,
        expires_in: token.lifetime.as_secs(),
        issued_at: time(token.issued_at),
        scope: wish.says_scope.then(|| scopes.collect::<Vec<_>>().join(" ")),
        refresh_token: refresh_token.map(|token| token.reveal().to_owned()),
    });
    let ends_at = gate.known_end(caller);
    if let Some(warning) = reminder(ends_at, gate.now()) {
        answer.headers_mut().append(WARNING, warning);
    }
    answer.extensions_mut().insert(AskedBy(caller.actor.clone()));
    Ok(answer)
}

/// An answer that nobody on the way keeps.
fn fresh(said: &Answer) -> Response {
    // Strings and numbers always serialise.
    let body = serde_json::to_vec(said).unwrap_or_default();
    let mut answer = answer::content(HeaderValue::from_static("application/json"), body.into());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn keys(gate: &Gate) -> Response {
    let set = gate.public_keys();
    answer::content(HeaderValue::from_static("application/jwk-set+json"), set.into())
}
