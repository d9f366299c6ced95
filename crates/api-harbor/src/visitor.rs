//! Who makes a request: the one place of this door that says so.
//!
//! The first of these that is there decides: `Authorization` with a name and a secret or a token, the session's cookie, nobody.
//! Credentials that are wrong are refused wherever they are shown; a session that is over is nobody, as a browser's old cookie is.

use axum::http::HeaderMap;
use axum::http::header::WARNING;
use axum::http::request::Parts;
use berth_access::authenticator::{Credentials, Purpose};
use berth_access::{Caller, LoginError, Secret};
use berth_http::authorization::Shown;
use berth_http::rest::{Code, Refusal};
use berth_http::{ConnectionInfo, Origin, RequestId, cookies, reminder};

use crate::csrf;
use crate::door::Inner;
use crate::error::Error;
use crate::route::Operation;

/// Whoever makes a request.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    /// The value of the session's cookie, if that is how the caller showed who they are.
    pub(crate) session: Option<Secret>,
}

impl Visitor {
    /// Finds out who makes the request. An open operation asks nobody.
    pub(crate) async fn of(door: &Inner, operation: Operation, parts: &Parts) -> Result<Self, Error> {
        let request_id = parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        let address = Origin::of(&parts.extensions)
            .and_then(|origin| origin.address)
            .or_else(|| ConnectionInfo::peer(&parts.extensions));
        let nobody = Self { caller: Caller::anonymous(address, request_id.clone()), session: None };
        if operation.open {
            return Ok(nobody);
        }
        let authenticator = door.gate.authenticator();
        match Shown::of(&parts.headers) {
            Shown::Basic { login, secret } => {
                let (login, purpose) = (login.as_str(), Purpose::Api);
                let shown = Credentials { login, secret: &secret, purpose, address, request_id: &request_id };
                Ok(Self { caller: authenticator.basic(&shown).await?, session: None })
            }
            Shown::Bearer(token) => {
                let caller = authenticator.bearer(token, address, request_id).await?;
                Ok(Self { caller, session: None })
            }
            Shown::Unusable(reason) => Err(Refusal::new(Code::Unauthorized, reason).into()),
            Shown::Nothing => {
                let Some(cookie) = cookies::session(&parts.headers) else { return Ok(nobody) };
                match authenticator.session(&cookie, address, request_id).await {
                    Ok(caller) => Ok(Self { caller, session: Some(cookie) }),
                    Err(LoginError::Revoked) => Ok(nobody),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Adds to an answer what this visitor should know: the session's token, and that a robot ends soon.
    pub(crate) fn describe(&self, door: &Inner, parts: &Parts, headers: &mut HeaderMap) {
        let authenticator = door.gate.authenticator();
        let ends_at = door.gate.known_end(&self.caller);
        if let Some(warning) = reminder(ends_at, door.gate.now()) {
            headers.insert(WARNING, warning);
        }
        if let Some(session) = &self.session {
            csrf::describe(authenticator, session, parts, headers);
        }
    }
}
