//! `GET /v2/`: whether this speaks the API, and whether the credentials are good (end-1). Without credentials it asks for some, so
//! that clients learn where tokens are had.

use axum::http::HeaderValue;
use axum::response::Response;
use bytes::Bytes;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Yes.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    if call.caller.is_anonymous() {
        return Err(Error::Credentials("log in, or get a token for what is public"));
    }
    call.registry.check_standing().await?;
    Ok(answer::content(HeaderValue::from_static("application/json"), Bytes::from_static(b"{}")))
}
