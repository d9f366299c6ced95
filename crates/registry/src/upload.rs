//! Uploads: sessions that survive restarts and have one writer.
//!
//! A session begins as a signed `ticket` and nothing else. What a request does with it is a `visit`: it looks at the row,
//! lets the `rules` say whether it may write, reads its body (`reader`) and either appends a few bytes in the row
//! or takes the `lease` and lets the bytes flow through `ingest` (`chunk`, `finish`). What is complete is published by
//! storage and then made known (`make_known`).
//!
//! **Invariants.** The row never says more than is durable: checkpoint first, then the row. Whoever writes to storage holds the
//! session's lease; of one process at most one request does (`writers`), of several processes the one whose epoch the row has.
//! A checkpoint in the middle of a body is made beside what comes after it; nothing else is done to the row before it is over.
//! What began runs to its end even if the request is dropped: [`unbroken`](fn@crate::unbroken). A repository appears with its first
//! content, and never because of bytes that may yet be refused.

mod cancel;
mod chunk;
mod expire;
mod finish;
mod hashing;
mod ingest;
mod lease;
mod make_known;
mod reader;
mod row;
mod rules;
mod start;
mod ticket;
mod visit;
mod writers;

use berth_oci::{ByteRange, Digest};
use uuid::Uuid;

pub(crate) use hashing::Hashing;
pub(crate) use ticket::Signer;
pub(crate) use writers::Writers;

/// What a client holds of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadTicket {
    /// The session's name.
    pub id: Uuid,
    /// The signed state; goes into the Location and comes back with it. It alone binds the session to its owner and its repository, on
    /// every visit, and it stands for a session that has no row yet.
    pub state: String,
}

/// Where a chunk says it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkPosition {
    /// Right behind what has come so far; nothing was said.
    Next,
    /// These bytes of the blob: refused unless they continue what has come so far.
    At(ByteRange),
}

/// How far a session has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// The client's ticket, to be given back in the Location.
    pub ticket: UploadTicket,
    /// How many bytes are there; all of them durable.
    pub offset: u64,
}

/// A finished upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What can be pulled now.
    pub digest: Digest,
}
