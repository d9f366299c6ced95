//! Conditions on reading (RFC 9110 §13): content never changes under its digest, so its digest is its entity tag.

use axum::http::HeaderMap;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE};
use berth_http::EntityTags;
use berth_oci::Digest;

use crate::error::Error;

/// Whether the client has the content already (304). Fails with [`Error::Changed`] if it wants other content only.
pub(crate) fn not_modified(headers: &HeaderMap, current: &Digest) -> Result<bool, Error> {
    if let Some(wanted) = EntityTags::of(headers, &IF_MATCH)
        && !wanted.match_strongly(&current.to_string())
    {
        return Err(Error::Changed { current: *current });
    }
    let known = EntityTags::of(headers, &IF_NONE_MATCH);
    Ok(known.is_some_and(|known| known.match_weakly(&current.to_string())))
}

/// Whether a `Range` counts: there is no `If-Range`, or it names the content.
pub(crate) fn range_counts(headers: &HeaderMap, current: &Digest) -> bool {
    EntityTags::of(headers, &IF_RANGE).is_none_or(|tags| {
        // `*` is no entity tag here.
        tags.strong().any(|tag| tag == current.to_string())
    })
}
