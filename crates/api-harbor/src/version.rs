//! `GET /api/version`: which API this is; what replicates from here asks it first.

use std::future::{Ready, ready};

use axum::response::Response;
use serde_json::json;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// The version in the paths.
pub(crate) fn get(_call: &Call<'_>) -> Ready<Result<Response, Error>> {
    ready(Ok(answer::json(&json!({ "version": "v2.0" }))))
}
