//! Actors, builders and a wire client for the stories and for the tests of other rooms.
//!
//! A story reads: start a [`BerthServer`], build content ([`Image`], [`Layout`], [`DiskLayer`]), let a real client ([`Program`])
//! or the plain [`Repository`] bring it there and back, compare bytes. Whatever goes wrong ends the test by a panic that shows
//! the program's own words and the server's log. Nothing here waits for a fixed time: [`until`] waits for conditions.
//!
//! Everything an actor makes lies in a temporary folder of its own, so that tests run side by side; processes end with the value
//! that started them.
#![expect(clippy::missing_panics_doc, reason = "a test ends by panicking, everywhere")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "a story reads better with numbers and names than with references to them"
)]
#![expect(clippy::must_use_candidate, reason = "a forgotten value in a test shows itself")]

mod buildkitd;
mod cable;
mod clock;
mod containerd;
mod content;
pub mod credentials;
mod disk;
mod dockerd;
mod entropy;
mod ext4;
mod http;
mod image;
mod layout;
mod movable_clock;
mod postgres;
mod process;
mod program;
mod random;
mod repository;
mod scratch;
mod server;
mod tmpfs;
mod tools;
mod wait;

pub use buildkitd::Buildkitd;
pub use cable::Cable;
pub use clock::TestClock;
pub use containerd::Containerd;
pub use content::{file_in_tar, random_bytes, tar_of};
pub use disk::DiskLayer;
pub use dockerd::Dockerd;
pub use entropy::SeededEntropy;
pub use ext4::Ext4;
pub use http::{Answer, Connection, Request, Response};
pub use image::{Image, Index};
pub use layout::Layout;
pub use postgres::Postgres;
pub use process::Process;
pub use program::{Finished, Program};
pub use random::Random;
pub use repository::{Repository, Upload};
pub use scratch::{Scratch, free_port};
pub use server::{BerthServer, ServerSetup};
pub use tmpfs::Tmpfs;
pub use tools::{is_soak, system, tool};
pub use wait::until;
