//! regctl: indexes, referrers, parts of blobs, uploads in small chunks.

use berth_oci::Digest;
use berth_testkit::{BerthServer, Image, Layout, Program, Scratch, random_bytes, tar_of, tool};

struct Regctl<'a> {
    scratch: &'a Scratch,
}

impl<'a> Regctl<'a> {
    /// A client that speaks plain HTTP with the server, in chunks of 64 KiB where a blob is larger than that.
    fn new(server: &BerthServer, scratch: &'a Scratch) -> Self {
        let client = Self { scratch };
        let set = client.run(&[
            "registry",
            "set",
            "--tls=disabled",
            "--skip-check",
            "--blob-chunk=65536",
            "--blob-max=65536",
        ]);
        set.arg(server.address()).run();
        client
    }

    fn run(&self, arguments: &[&str]) -> Program {
        let program = Program::new(tool("regctl")).args(arguments).folder(self.scratch.path());
        program.env("REGCTL_CONFIG", self.scratch.join("regctl.json")).env("HOME", self.scratch.path())
    }
}

#[test]
fn images_become_an_index() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    let image = |architecture: &str, seed| {
        let payload = random_bytes(seed, 300_000);
        Image::of(architecture, &[tar_of(&[("payload", &payload)])])
    };
    let images = [image("amd64", 1), image("arm64", 2)];
    for (image, tag) in images.iter().zip(["amd64", "arm64"]) {
        let layout = Layout::of_image(&scratch.folder(tag), tag, image);
        let source = format!("ocidir://{}:{tag}", layout.path().display());
        regctl.run(&["image", "copy", &source, &server.image(&format!("library/regctl:{tag}"))]).run();
        server.repository("library/regctl").assert_image(tag, image);
    }
    let index = server.image("library/regctl:both");
    let create = regctl.run(&["index", "create", &index]);
    let create = create.args(["--ref", &server.image("library/regctl:amd64"), "--platform", "linux/amd64"]);
    create.args(["--ref", &server.image("library/regctl:arm64")]).run();
    let found = regctl.run(&["manifest", "get", "--format", "raw-body", &index]).run().json();
    let digests: Vec<_> =
        found["manifests"].as_array().expect("an index").iter().map(|it| it["digest"].clone()).collect();
    assert_eq!(digests, images.map(|image| serde_json::json!(image.digest().to_string())));
}

#[test]
fn artifacts_refer_to_an_image() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    server.repository("library/regctl").push_image("1", &Image::random(3, 1000)).expect("pushed");
    let image = server.image("library/regctl:1");
    for kind in ["one", "two"] {
        let artifact_type = format!("application/vnd.story.{kind}");
        let put = regctl.run(&["artifact", "put", "--artifact-type", &artifact_type, "--subject", &image]);
        put.input(format!("content of {kind}")).run();
    }
    let list = |more: &[&str]| {
        regctl.run(&["artifact", "list", "--format", "{{jsonPretty .}}"]).args(more).arg(&image).run().json()
    };
    assert_eq!(list(&[])["descriptors"].as_array().map(Vec::len), Some(2));
    let one = list(&["--filter-artifact-type", "application/vnd.story.one"]);
    assert_eq!(one["descriptors"].as_array().map(Vec::len), Some(1), "{one}");
    let read = regctl.run(&[
        "artifact",
        "get",
        "--subject",
        &image,
        "--filter-artifact-type",
        "application/vnd.story.two",
    ]);
    assert_eq!(read.run().text(), "content of two");
}

#[test]
fn a_blob_is_read_whole_and_in_parts() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    let files = [("one", random_bytes(4, 100_000)), ("two", random_bytes(5, 200_000))];
    let layer = tar_of(&[(files[0].0, &files[0].1), (files[1].0, &files[1].1)]);
    let repository = server.image("library/regctl");
    let put = regctl.run(&["blob", "put", &repository]).input(layer.clone()).run();
    let digest = Digest::sha256(&layer);
    assert_eq!(put.text(), digest.to_string());

    assert_eq!(regctl.run(&["blob", "get", &repository, &digest.to_string()]).run().stdout, layer);
    let file = regctl.run(&["blob", "get-file", &repository, &digest.to_string(), "two"]).run();
    assert!(file.stdout == files[1].1);
    for (first, last) in [(0, Some(0)), (512, Some(1023)), (100_000, None), (layer.len() as u64 - 1, None)] {
        let part = server
            .repository("library/regctl")
            .blob_range(&digest, first, last)
            .expect("an answer")
            .expect(206);
        let end = last.map_or(layer.len(), |last| usize::try_from(last).unwrap() + 1);
        assert!(part.body == layer[usize::try_from(first).unwrap()..end]);
        assert_eq!(
            part.header("content-range"),
            Some(format!("bytes {first}-{}/{}", end - 1, layer.len()).as_str())
        );
    }
}
