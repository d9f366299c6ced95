//! One request on its way through a handler.

use std::borrow::Cow;

use axum::http::HeaderMap;
use axum::http::request::Parts;
use berth_access::Caller;
use berth_http::query;
use berth_registry::{Guarded, Lent};
use tokio::sync::SemaphorePermit;

use crate::door::Inner;
use crate::error::Error;
use crate::slots::BlobSlot;

/// What a handler has of its request besides the route and the body.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The registry as the caller may use it.
    pub(crate) registry: Guarded<'a>,
    pub(crate) caller: &'a Caller,
    pub(crate) door: &'a Inner,
    pub(crate) parts: &'a Parts,
}

impl<'a> Call<'a> {
    pub(crate) fn new(door: &'a Inner, caller: &'a Caller, parts: &'a Parts) -> Self {
        Self { registry: door.registry.as_caller(caller), caller, door, parts }
    }

    pub(crate) fn headers(&self) -> &'a HeaderMap {
        &self.parts.headers
    }

    /// The query, empty if there is none.
    pub(crate) fn query(&self) -> &'a str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The first value of a parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        query::first(self.query(), name)
    }

    /// What the connection was lent, if the bytes of the answer go to the kernel as they are.
    pub(crate) fn lent(&self) -> Option<&'a Lent> {
        self.parts.extensions.get()
    }

    /// A place among the bodies that come in at once, for a blob's; [`Error::Busy`] if all are taken.
    pub(crate) fn blob_slot(&self) -> Result<BlobSlot<'a>, Error> {
        self.door.slots.for_blob().ok_or(Error::Busy)
    }

    /// The same for a manifest's.
    pub(crate) fn manifest_slot(&self) -> Result<SemaphorePermit<'a>, Error> {
        self.door.slots.for_manifest().ok_or(Error::Busy)
    }
}
