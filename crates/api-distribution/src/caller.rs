//! Who makes a request: the one place of this door that says so.

use axum::http::request::Parts;
use berth_access::Caller;
use berth_http::{ConnectionInfo, RequestId};

/// The caller of a request. Nobody shows who they are until accounts exist.
pub(crate) fn caller(parts: &Parts) -> Caller {
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
    Caller::anonymous(ConnectionInfo::peer(&parts.extensions), request_id.unwrap_or_default())
}
