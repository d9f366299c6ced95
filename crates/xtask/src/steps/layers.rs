//! Who may import whom: the table of the house, held over what cargo knows of our own rooms.
//!
//! Dev-dependencies are exempt. A room that is not in the table is refused until it has a line here.

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata};

use super::Outcome;
use crate::context::Context;

/// A floor of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Words,
    Ports,
    Outside,
    Adapters,
    UseCases,
    Doors,
    Assembly,
    Support,
}

use Layer::{Adapters, Assembly, Doors, Outside, Ports, Support, UseCases, Words};

/// Every room, its floor, and which rooms of ours it may import.
const ROOMS: &[(&str, Layer, &[&str])] = &[
    ("oci", Words, &[]),
    ("domain", Words, &["oci"]),
    ("metadata", Ports, WORDS),
    ("blobs", Ports, WORDS),
    ("cache", Ports, WORDS),
    ("remote-registry", Outside, WORDS),
    ("identity", Outside, WORDS),
    ("scanner", Outside, WORDS),
    ("metadata-sql", Adapters, &["oci", "domain", "metadata"]),
    ("blobs-filesystem", Adapters, &["oci", "domain", "blobs", "mapped-file"]),
    ("blobs-s3", Adapters, &["oci", "domain", "blobs"]),
    ("cache-memory", Adapters, &["oci", "domain", "cache"]),
    ("cache-redis", Adapters, &["oci", "domain", "cache"]),
    ("access", UseCases, BELOW_USE_CASES),
    ("registry", UseCases, &["access"]),
    ("proxy-cache", UseCases, &["access", "registry"]),
    ("management", UseCases, &["access"]),
    ("jobs", UseCases, &["access", "registry", "proxy-cache", "management"]),
    ("http", Doors, BELOW_DOORS),
    ("api-distribution", Doors, &["http"]),
    ("api-harbor", Doors, &["http"]),
    ("web", Doors, &["http"]),
    ("config", Assembly, &[]),
    ("server", Assembly, &[]),
    ("cli", Assembly, &[]),
    ("mapped-file", Support, &[]),
    ("testkit", Support, &["oci", "domain", "metadata", "blobs", "cache"]),
    ("tests", Support, &["oci", "domain", "testkit"]),
    ("bench", Support, &["oci", "domain", "testkit"]),
    ("xtask", Support, &[]),
];

const WORDS: &[&str] = &["oci", "domain"];
const BELOW_USE_CASES: &[&str] =
    &["oci", "domain", "metadata", "blobs", "cache", "remote-registry", "identity", "scanner"];
const BELOW_DOORS: &[&str] = &["oci", "domain", "access", "registry", "proxy-cache", "management", "jobs"];

/// Outside crates that only some rooms may name, as floors and as rooms.
const FENCES: &[(&str, &[Layer], &[&str])] = &[
    ("oci-spec", &[], &["oci"]),
    ("reqwest", &[Outside, Support], &[]),
    // The benchmark fills a database with a million rows by SQL, as no client could in its time.
    ("sqlx", &[], &["metadata-sql", "bench"]),
    ("redis", &[], &["cache-redis"]),
    ("moka", &[], &["cache-memory"]),
    ("aws-sdk-s3", &[], &["blobs-s3"]),
    // The memory of buffers comes from the system and goes back there as a whole.
    ("memmap2", &[], &["blobs", "mapped-file"]),
    ("argon2", &[], &["access"]),
    ("pbkdf2", &[], &["access"]),
    ("jsonwebtoken", &[], &["access"]),
    ("aes-gcm", &[], &["access"]),
    ("axum", &[Doors], &["server"]),
    ("clap", &[Assembly, Support], &[]),
    ("serde-saphyr", &[], &["config"]),
    ("rustls", &[], &["server", "bench"]),
    ("tokio-rustls", &[], &["server", "bench"]),
    ("hyper", &[], &["server", "bench"]),
    ("hyper-util", &[], &["server", "bench"]),
    ("sha2", &[Words, Ports, Outside, Adapters, UseCases, Support], &[]),
    ("hmac", &[Words, Ports, Outside, Adapters, UseCases, Support], &[]),
    // The budget of buffers is a semaphore: the one thing of tokio that a port needs.
    ("tokio", &[Outside, Adapters, UseCases, Doors, Assembly, Support], &["blobs"]),
    ("rustix", &[Adapters, Assembly, Support], &[]),
];

/// One normal or build dependency of a room, both without our prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    ours: bool,
}

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let metadata = context.metadata()?;
    let unknown: Vec<_> = rooms(&metadata).into_iter().filter(|room| find(room).is_none()).collect();
    if !unknown.is_empty() {
        bail!("rooms without a line in the table (steps/layers.rs): {}", unknown.join(", "));
    }
    let edges = edges(&metadata);
    let complaints: Vec<_> = edges.iter().filter_map(judge).collect();
    if !complaints.is_empty() {
        bail!("who may import whom does not hold:\n  {}", complaints.join("\n  "));
    }
    Ok(Outcome::passed(edges.len()))
}

/// Our rooms by their bare names.
fn rooms(metadata: &Metadata) -> Vec<String> {
    metadata.workspace_packages().iter().map(|package| bare(&package.name).to_owned()).collect()
}

fn bare(package: &str) -> &str {
    package.strip_prefix("berth-").unwrap_or(package)
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let packages = metadata.workspace_packages();
    let normal = packages.iter().flat_map(|package| {
        let used =
            package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        used.map(|dependency| Edge {
            from: bare(&package.name).to_owned(),
            to: bare(&dependency.name).to_owned(),
            ours: dependency.path.is_some(),
        })
    });
    normal.collect()
}

fn find(room: &str) -> Option<&'static (&'static str, Layer, &'static [&'static str])> {
    ROOMS.iter().find(|(name, ..)| *name == room)
}

/// Why an edge may not be, if it may not.
fn judge(edge: &Edge) -> Option<String> {
    let (_, layer, listed) = find(&edge.from)?;
    let allowed =
        if edge.ours { may_import(*layer, listed, &edge.to) } else { may_name(*layer, &edge.from, &edge.to) };
    let Edge { from, to, .. } = edge;
    (!allowed).then(|| format!("{from} ({layer:?}) may not depend on {to}"))
}

/// Whether a room of `layer` may import the room `to`.
fn may_import(layer: Layer, listed: &[&str], to: &str) -> bool {
    let by_layer: &[&str] = match layer {
        UseCases => BELOW_USE_CASES,
        Doors => BELOW_DOORS,
        Assembly => return find(to).is_some_and(|(_, layer, _)| *layer != Support),
        Words | Ports | Outside | Adapters | Support => &[],
    };
    listed.contains(&to) || by_layer.contains(&to)
}

/// Whether a room may name an outside crate.
fn may_name(layer: Layer, from: &str, to: &str) -> bool {
    let Some((_, layers, rooms)) = FENCES.iter().find(|(name, ..)| *name == to) else {
        return true;
    };
    layers.contains(&layer) || rooms.contains(&from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(from: &str, to: &str) -> Option<String> {
        judge(&Edge { from: from.into(), to: to.into(), ours: true })
    }

    fn outside(from: &str, to: &str) -> Option<String> {
        judge(&Edge { from: from.into(), to: to.into(), ours: false })
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(ours("registry", "metadata"), None);
        assert_eq!(ours("registry", "access"), None);
        assert_eq!(ours("api-distribution", "http"), None);
        assert_eq!(ours("server", "metadata-sql"), None);
        for (from, to) in [
            ("api-distribution", "metadata"),
            ("http", "blobs"),
            ("http", "api-distribution"),
            ("api-harbor", "web"),
            ("registry", "metadata-sql"),
            ("access", "registry"),
            ("metadata", "registry"),
            ("metadata-sql", "blobs"),
            ("blobs-filesystem", "blobs-s3"),
            ("oci", "domain"),
            ("server", "testkit"),
            ("metadata-sql", "mapped-file"),
        ] {
            assert!(ours(from, to).is_some(), "{from} may import {to}");
        }
    }

    #[test]
    fn fences_hold() {
        assert_eq!(outside("metadata-sql", "sqlx"), None);
        assert_eq!(outside("http", "axum"), None);
        assert_eq!(outside("registry", "serde"), None);
        for (from, to) in [
            ("registry", "axum"),
            ("oci", "tokio"),
            ("metadata", "tokio"),
            ("server", "sqlx"),
            ("cli", "hyper"),
            ("http", "sha2"),
        ] {
            assert!(outside(from, to).is_some(), "{from} may name {to}");
        }
    }
}
