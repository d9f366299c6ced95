//! `GET /c/log_out`: the end of a session.

use axum::http::header::SET_COOKIE;
use axum::response::Response;
use berth_http::cookies;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// 200, whether or not there was one; the cookie is taken back.
pub(crate) async fn log_out(call: &Call<'_>) -> Result<Response, Error> {
    if let Some(cookie) = cookies::session(&call.parts.headers) {
        call.door.gate.authenticator().log_out(&cookie).await?;
    }
    let mut answer = answer::done();
    answer.headers_mut().append(SET_COOKIE, cookies::end(call.scheme()));
    Ok(answer)
}
