//! What clients do: pull, push, and ask for small things many at a time.

pub(crate) mod image;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod rest;
pub(crate) mod storm;
pub(crate) mod together;
