//! `POST /c/login`: a name and a password for a session's cookie.

use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use berth_access::Secret;
use berth_access::authenticator::{Credentials, Purpose};
use berth_http::rest::{Code, Refusal, form};
use berth_http::{AskedBy, cookies};

use crate::call::Call;
use crate::error::Error;
use crate::{answer, csrf};

/// 200 with a new cookie and the new session's token; the session that the request came with ends, so that nobody goes on with one
/// that was prepared for them.
pub(crate) async fn log_in(call: &Call<'_>) -> Result<Response, Error> {
    let (principal, password) = read(&call.body)?;
    let authenticator = call.door.gate.authenticator();
    let shown = Credentials {
        login: &principal,
        secret: &password,
        purpose: Purpose::Api,
        address: call.caller.address,
        request_id: &call.caller.request_id,
    };
    let session = authenticator.log_in(&shown).await?;
    if let Some(old) = cookies::session(&call.parts.headers) {
        authenticator.log_out(&old).await?;
    }
    let mut answer = answer::done();
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.append(SET_COOKIE, cookies::begin(&session.cookie, call.scheme()));
    csrf::describe(authenticator, &session.cookie, call.parts, headers);
    answer.extensions_mut().insert(AskedBy(session.caller.actor));
    Ok(answer)
}

/// `principal` and `password` of the form.
fn read(body: &[u8]) -> Result<(String, Secret), Refusal> {
    let refused = |words| Refusal::new(Code::BadRequest, words);
    let form = std::str::from_utf8(body).map_err(|_| refused("the form must be UTF-8"))?;
    let principal = form::first(form, "principal").filter(|principal| !principal.is_empty());
    let password = form::first(form, "password").filter(|password| !password.is_empty());
    match (principal, password) {
        (Some(principal), Some(password)) if !principal.contains('\0') => {
            Ok((principal.into_owned(), Secret::new(password.into_owned())))
        }
        _ => Err(refused("the form must have principal and password, neither of them empty")),
    }
}
