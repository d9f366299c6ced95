//! containerd 2: images are imported, pushed by `hosts.toml`, removed and pulled.

use berth_oci::Digest;
use berth_testkit::credentials::{ADMIN, ADMIN_PASSWORD};
use berth_testkit::{BerthServer, Containerd, Index, Layout, Program, Scratch};

/// Panics unless the daemon's store has this content.
#[track_caller]
fn assert_stored(daemon: &Containerd, content: &[u8]) {
    let digest = Digest::sha256(content).to_string();
    let found = daemon.ctr().args(["content", "get", &digest]).run();
    assert!(found.stdout == content, "{digest} came changed");
}

#[test]
fn an_index_is_pushed_and_pulled() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let daemon = Containerd::start(&server.address());
    let index = Index::random(1, 20_000_000);
    let image = server.image("library/containerd:1");
    let layout = Layout::of_index(&scratch.folder("layout"), &image, &index);
    let archive = scratch.join("image.tar");
    Program::new("tar")
        .arg("-C")
        .arg(layout.path())
        .arg("-cf")
        .arg(&archive)
        .args(["index.json", "oci-layout", "blobs"])
        .run();

    // It reads no file of docker's.
    let user = format!("{ADMIN}:{ADMIN_PASSWORD}");
    let hosts = format!("--hosts-dir={}", daemon.hosts().display());
    daemon.ctr().args(["images", "import", "--all-platforms", "--no-unpack", "--local"]).arg(&archive).run();
    let listed = daemon.ctr().args(["images", "list", "--quiet"]).run().text();
    let imported = listed.lines().next().expect("an imported image").to_owned();
    if imported != image {
        daemon.ctr().args(["images", "tag", &imported, &image]).run();
    }
    daemon.ctr().args(["images", "push", "--local", "--user", &user, &hosts, &image]).run();
    let repository = server.repository("library/containerd");
    assert_eq!(repository.manifest("1").expect("an answer").expect(200).body, index.content());
    for part in index.images() {
        repository.assert_image(&part.digest().to_string(), part);
    }

    let both = index.images();
    // By the client itself, by the transfer service for this machine, and by it for every machine.
    for (how, pulled) in [
        (&["--local", "--all-platforms", "--snapshotter=native"][..], both),
        (&["--snapshotter=native"][..], &both[..1]),
        (&["--all-platforms"][..], both),
    ] {
        // A daemon of its own has nothing yet, so that all of it comes from the server.
        let daemon = Containerd::start(&server.address());
        let hosts = format!("--hosts-dir={}", daemon.hosts().display());
        daemon.ctr().args(["images", "pull", "--user", &user, &hosts]).args(how).arg(&image).run();
        let listed = daemon.ctr().args(["images", "list", &format!("name=={image}")]).run().text();
        assert!(listed.contains(&index.digest().to_string()), "{how:?}: {listed}");
        assert_stored(&daemon, index.content());
        for part in pulled {
            assert_stored(&daemon, part.manifest());
            part.blobs().iter().for_each(|blob| assert_stored(&daemon, blob));
        }
    }
}
