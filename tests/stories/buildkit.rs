//! buildkit: what one daemon has built and cached in the registry, another does not build again.

use berth_oci::{Digest, media_type};
use berth_testkit::{BerthServer, Buildkitd, Finished, Scratch, random_bytes};
use serde_json::Value;

const CACHE_CONFIG: &str = "application/vnd.buildkit.cacheconfig.v0";
const DOCKERFILE: &str = "FROM scratch\nCOPY one /one\nCOPY two /two\n";

/// A folder to build from, and the registry.
struct Builder<'a> {
    server: &'a BerthServer,
    folder: Scratch,
}

impl<'a> Builder<'a> {
    fn new(server: &'a BerthServer) -> Self {
        let folder = Scratch::new();
        folder.write("Dockerfile", DOCKERFILE);
        folder.write("one", random_bytes(1, 300_000));
        folder.write("two", random_bytes(2, 300_000));
        Self { server, folder }
    }

    /// Builds with a daemon that has built nothing yet, with the cache in the registry, and pushes.
    fn builds(&self, tag: &str, form: &str) -> Finished {
        let daemon = Buildkitd::start(&self.server.address());
        let cache = format!("type=registry,ref={}", self.server.image("library/cache:1"));
        let image = self.server.image(&format!("library/built:{tag}"));
        let build = daemon.buildctl().args(["build", "--progress=plain", "--frontend=dockerfile.v0"]);
        let build = build.arg("--local").arg(format!("context={}", self.folder.path().display()));
        let build = build.arg("--local").arg(format!("dockerfile={}", self.folder.path().display()));
        let build = build.args(["--output", &format!("type=image,name={image},push=true")]);
        let build = build.args(["--export-cache", &format!("{cache},mode=max,{form}")]);
        build.args(["--import-cache", &cache]).run()
    }

    fn manifest(&self, repository: &str, tag: &str) -> (String, Value) {
        let found = self.server.repository(repository).manifest(tag).expect("an answer").expect(200);
        (found.header("Content-Type").expect("a type").to_owned(), found.json())
    }
}

/// How many steps it did not do again.
fn cached(finished: &Finished) -> usize {
    let said = format!("{}\n{}", finished.text(), finished.complaints());
    said.lines().filter(|line| line.ends_with(" CACHED")).count()
}

/// Panics unless the cache is this: layers that are there, and a configuration of buildkit's own type.
#[track_caller]
fn assert_cache(server: &BerthServer, layers: &[Value], config: &Value) {
    assert_eq!(layers.len(), 2, "{layers:?}");
    assert_eq!(config["mediaType"], CACHE_CONFIG);
    for entry in layers.iter().chain([config]) {
        let digest: Digest = entry["digest"].as_str().expect("a digest").parse().expect("a digest");
        let blob = server.repository("library/cache").blob(&digest).expect("an answer").expect(200);
        assert_eq!(Digest::sha256(&blob.body), digest);
    }
}

#[test]
fn a_build_cache_is_an_image_that_another_daemon_uses() {
    let server = BerthServer::start();
    let builder = Builder::new(&server);
    assert_eq!(cached(&builder.builds("1", "image-manifest=true")), 0);
    let (kind, cache) = builder.manifest("library/cache", "1");
    assert_eq!(kind, media_type::OCI_MANIFEST);
    assert_cache(&server, cache["layers"].as_array().expect("layers"), &cache["config"]);
    assert_eq!(cached(&builder.builds("2", "image-manifest=true")), 2);
    assert_eq!(builder.manifest("library/built", "1"), builder.manifest("library/built", "2"));
    server.assert_sound();
}

/// The form of before: an index whose entries are no manifests.
#[test]
fn a_build_cache_is_an_index_of_layers_that_another_daemon_uses() {
    let server = BerthServer::start();
    let builder = Builder::new(&server);
    assert_eq!(cached(&builder.builds("1", "image-manifest=false,oci-mediatypes=true")), 0);
    let (kind, cache) = builder.manifest("library/cache", "1");
    assert_eq!(kind, media_type::OCI_INDEX);
    let entries = cache["manifests"].as_array().expect("an index");
    let (config, layers) = entries.split_last().expect("entries");
    assert_cache(&server, layers, config);
    assert_eq!(cached(&builder.builds("2", "image-manifest=false,oci-mediatypes=true")), 2);
    server.assert_sound();
}
