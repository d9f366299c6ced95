//! Manifests: pulled, pushed, deleted.

mod delete;
mod links;
mod pull;
mod push;

pub(crate) use links::{Present, Source, demanded, may_be_blob};
pub use pull::PulledManifest;
pub use push::{PushManifest, PushedManifest};
