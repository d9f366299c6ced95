//! Where a chunk says it belongs.

use axum::http::header::CONTENT_RANGE;
use berth_http::RequestBody;
use berth_oci::range;
use berth_registry::ChunkPosition;

use crate::call::Call;
use crate::error::Error;

/// Reads `Content-Range: <first>-<last>`; without it the chunk goes behind what came so far.
pub(super) fn of(call: &Call<'_>, body: &RequestBody) -> Result<ChunkPosition, Error> {
    let Some(header) = call.headers().get(CONTENT_RANGE) else {
        return Ok(ChunkPosition::Next);
    };
    let range = header.to_str().ok().and_then(range::chunk).ok_or(Error::ContentRange)?;
    match body.length() {
        Some(length) if length != range.len() => {
            Err(Error::ContentRangeLength { range: range.len(), body: length })
        }
        _ => Ok(ChunkPosition::At(range)),
    }
}
