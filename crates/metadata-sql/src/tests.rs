//! The port's conformance suite on both databases, and what is this adapter's own.

mod embedded;
mod statements;
