//! skopeo: copies whole indexes, mirrors repositories, deletes.

use std::fs;

use berth_testkit::{BerthServer, Index, Layout, Program, Scratch, system};

fn skopeo(command: &str) -> Program {
    Program::new(system("skopeo")).arg("--insecure-policy").arg(command)
}

#[test]
fn an_index_is_copied_there_and_back() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let index = Index::random(1, 100_000);
    let source = Layout::of_index(&scratch.folder("source"), "1", &index);
    let image = format!("docker://{}", server.image("library/skopeo:1"));

    let copy = || {
        skopeo("copy").args([
            "--all",
            "--preserve-digests",
            "--dest-tls-verify=false",
            "--src-tls-verify=false",
        ])
    };
    copy().arg(format!("oci:{}:1", source.path().display())).arg(&image).run();
    let inspected = skopeo("inspect").args(["--tls-verify=false", "--raw"]).arg(&image).run();
    assert_eq!(inspected.stdout, index.content());

    let back = scratch.join("back");
    copy().arg(&image).arg(format!("oci:{}:1", back.display())).run();
    Layout::open(&back).assert_index(&index);
}

#[test]
fn a_repository_is_mirrored_by_sync() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let repository = server.repository("library/mirrored");
    let image = berth_testkit::Image::random(2, 10_000);
    for tag in ["one", "two", "three"] {
        repository.push_image(tag, &image).expect("pushed");
    }
    let folder = scratch.folder("mirror");
    let sync = skopeo("sync").args(["--src=docker", "--dest=dir", "--src-tls-verify=false", "--all"]);
    sync.arg(server.image("library/mirrored")).arg(&folder).run();
    for tag in ["one", "two", "three"] {
        let mirrored =
            |file: &str| fs::read(folder.join(format!("mirrored:{tag}/{file}"))).expect("mirrored");
        assert_eq!(mirrored("manifest.json"), image.manifest());
        for blob in image.blobs() {
            let digest = berth_oci::Digest::sha256(blob).to_string();
            assert!(mirrored(digest.trim_start_matches("sha256:")) == *blob, "{tag}: {digest}");
        }
    }
}

#[test]
fn a_deleted_image_is_gone_with_all_its_tags() {
    let server = BerthServer::start();
    let repository = server.repository("library/deleted");
    let (image, other) = (berth_testkit::Image::random(3, 1000), berth_testkit::Image::random(4, 1000));
    repository.push_image("one", &image).expect("pushed");
    repository.push_image("same", &image).expect("pushed");
    repository.push_image("other", &other).expect("pushed");

    // skopeo asks for the tag's digest and deletes the manifest by it.
    skopeo("delete")
        .arg("--tls-verify=false")
        .arg(format!("docker://{}", server.image("library/deleted:one")))
        .run();
    assert_eq!(repository.manifest("one").expect("an answer").status, 404);
    assert_eq!(repository.manifest("same").expect("an answer").status, 404);
    repository.assert_image("other", &other);
    let listed = skopeo("list-tags").arg("--tls-verify=false");
    let listed = listed.arg(format!("docker://{}", server.image("library/deleted"))).run();
    assert_eq!(listed.json()["Tags"], serde_json::json!(["other"]));
}
