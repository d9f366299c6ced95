//! Uploads of blobs.

mod delete;
mod get;
mod patch;
mod position;
mod put;
mod start;

pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use patch::patch;
pub(crate) use put::put;
pub(crate) use start::start;

use axum::http::header::{LOCATION, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use berth_http::query;
use berth_oci::RepositoryName;
use berth_registry::UploadTicket;
use uuid::Uuid;

use crate::answer::{self, UPLOAD_UUID};
use crate::call::Call;

/// The parameter of a session's path that carries its signed state.
const STATE: &str = "_state";

/// What the client holds of a session: its id in the path, its state in the query.
fn ticket(call: &Call<'_>, id: Uuid) -> UploadTicket {
    UploadTicket { id, state: call.parameter(STATE).unwrap_or_default().into_owned() }
}

/// An answer about a session that has `offset` bytes.
fn about(status: StatusCode, repository: &RepositoryName, ticket: &UploadTicket, offset: u64) -> Response {
    let mut answer = answer::empty(status);
    describe(answer.headers_mut(), repository, ticket, offset);
    answer
}

/// Where a session goes on: Docker's clients read all three headers, from errors too.
pub(crate) fn describe(
    headers: &mut HeaderMap,
    repository: &RepositoryName,
    ticket: &UploadTicket,
    offset: u64,
) {
    let id = ticket.id.to_string();
    let mut location = format!("/v2/{repository}/blobs/uploads/{id}?{STATE}=");
    query::encode_into(&mut location, &ticket.state);
    headers.insert(LOCATION, answer::value(location));
    // The last byte, inclusive and without a unit; there is no way to say "none", so an empty session says `0-0` as one byte does.
    headers.insert(RANGE, answer::value(format!("0-{}", offset.saturating_sub(1))));
    headers.insert(&UPLOAD_UUID, answer::value(id));
}
