//! Values as columns keep them: actors, digests, names, times and numbers.

use std::str::FromStr;

use berth_domain::{Actor, ActorKind, Timestamp};
use berth_metadata::Result;
use berth_oci::Digest;
use uuid::Uuid;

use crate::error::corrupt;

/// Reads the three columns of an actor.
pub(crate) fn actor(kind: &str, id: i64, name: String) -> Result<Actor> {
    let kind = ActorKind::parse(kind).ok_or_else(|| corrupt("the kind of actor", kind))?;
    Ok(Actor { kind, id, name })
}

/// Reads a digest.
pub(crate) fn digest(bytes: &[u8]) -> Result<Digest> {
    Digest::from_bytes(bytes).ok_or_else(|| corrupt("the digest", bytes))
}

/// Reads a digest that may be absent.
pub(crate) fn optional_digest(bytes: Option<&[u8]>) -> Result<Option<Digest>> {
    bytes.map(digest).transpose()
}

/// Reads a name, tag or media type.
pub(crate) fn parse<T: FromStr>(what: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| corrupt(what, text))
}

/// Reads a UUID.
pub(crate) fn uuid(bytes: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|_| corrupt("the UUID", bytes))
}

/// Reads a length or count, which is never negative.
pub(crate) fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| corrupt("the length", number))
}

/// Writes a length or count; one beyond 2^63 is kept as that.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads a moment.
pub(crate) const fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}
