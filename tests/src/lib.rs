//! The client stories live in `stories/`: real programs against the real binary, content checked after the round trip.
//!
//! One file a client or a theme, one test program for all of them. They are run by `cargo xtask test --only build --only stories`.
