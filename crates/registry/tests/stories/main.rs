//! Stories of the use cases over the real adapters: a temporary SQLite and a temporary directory.
#![expect(clippy::unwrap_used, reason = "a story ends by panicking, everywhere")]

mod consistency;
mod crowds;
mod deletions;
mod direct;
mod failing;
mod fsck;
mod healing;
mod house;
mod manifests;
mod mounts;
mod power;
mod power_bodies;
mod power_rare;
mod sessions;
mod takeover;
mod tombstones;
mod uploads;
