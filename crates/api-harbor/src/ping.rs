//! `GET /ping`: whether the API answers at all. Nothing behind it is asked.

use std::future::{Ready, ready};

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// `Pong`.
pub(crate) fn get(_call: &Call<'_>) -> Ready<Result<Response, Error>> {
    ready(Ok(answer::text("Pong")))
}
