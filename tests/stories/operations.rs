//! What an operator does: start twice by mistake, stop, back up, restore, check.

use std::fs;
use std::io::Read as _;
use std::time::Duration;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Image, Index, Program, Request, Scratch, Tmpfs, random_bytes, until};

#[test]
fn a_second_server_on_the_same_data_is_refused_and_harms_nothing() {
    let server = BerthServer::start();
    let image = Image::random(1, 100_000);
    let repository = server.repository("library/locked");
    repository.push_image("1", &image).expect("pushed");
    let refused = server.berth("serve").args(["--listen", "127.0.0.1:0"]).fail();
    let data = server.data().display().to_string();
    assert!(refused.complaints().contains(&data), "the message names the directory: {refused}");
    repository.assert_image("1", &image);
}

#[test]
fn a_stop_lets_requests_finish_and_a_start_finds_everything() {
    let mut server = BerthServer::start();
    let repository = server.repository("library/stopped");
    let (image, large) = (Image::random(2, 50_000), random_bytes(3, 30_000_000));
    repository.push_image("1", &image).expect("pushed");
    let digest = repository.push_blob(&large).expect("pushed");

    let mut connection = server.connect();
    let pull = Request::get(repository.path(&format!("blobs/{digest}")));
    let mut answer = connection.begin(&pull).expect("an answer");
    let mut content = vec![0; 1000];
    answer.read_exact(&mut content).expect("the first bytes");
    server.ask_to_stop();
    until("the server stops listening", Duration::from_mins(1), || {
        repository.manifest("1").is_err().then_some(())
    });
    assert!(server.is_running());
    answer.read_to_end(&mut content).expect("a request under way is served to its end");
    assert!(content == large);
    drop(connection);
    assert!(server.ended().success());

    server.start_again();
    repository.assert_image("1", &image);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == large);
}

#[test]
fn a_backup_of_a_running_server_is_restored_elsewhere() {
    let server = BerthServer::start();
    let (image, index) = (Image::random(4, 400_000), Index::random(5, 100_000));
    server.repository("library/kept").push_image("1", &image).expect("pushed");
    server.repository("other/deep/kept").push_index("both", &index).expect("pushed");
    let scratch = Scratch::new();
    server.berth("backup").arg(scratch.join("backup")).run();
    // What comes after is not in it.
    server.repository("library/late").push_image("1", &image).expect("pushed");

    let restore = |data: &str| {
        let berth = BerthServer::program("restore").arg("--data").arg(scratch.join(data));
        berth.arg(scratch.join("backup"))
    };
    restore("restored").run();
    restore("restored").fail();
    let other = BerthServer::setup().data(scratch.join("restored")).start();
    other.repository("library/kept").assert_image("1", &image);
    assert_eq!(
        other.repository("other/deep/kept").manifest("both").expect("an answer").expect(200).body,
        index.content()
    );
    for part in index.images() {
        other.repository("other/deep/kept").assert_image(&part.digest().to_string(), part);
    }
    assert_eq!(other.repository("library/late").manifest("1").expect("an answer").status, 404);
    other.assert_sound();
}

#[test]
fn a_backup_can_be_checked_where_nothing_can_be_written() {
    let disk = Tmpfs::mount(64);
    let mut server = BerthServer::setup().data(disk.path().join("data")).start();
    server.repository("library/kept").push_image("1", &Image::random(4, 400_000)).expect("pushed");
    server.berth("backup").arg(disk.path().join("backup")).run();
    assert!(server.stop().success());
    disk.remount("ro");
    // So can what a server left.
    for data in ["backup", "data"] {
        let fsck =
            |how: &[&str]| BerthServer::program("fsck").args(how).arg("--data").arg(disk.path().join(data));
        let checked = fsck(&["--deep"]).run();
        assert!(checked.text().ends_with("1 manifests: all is well"), "{checked}");
        let refused = fsck(&["--repair"]).fail();
        assert!(refused.complaints().contains("Read-only file system"), "{refused}");
    }
}

#[test]
fn a_corrupt_blob_is_found_hidden_and_healed_by_the_next_push() {
    let mut server = BerthServer::start();
    let repository = server.repository("library/corrupt");
    let (good, bad) = (random_bytes(6, 200_000), random_bytes(7, 300_000));
    let good_digest = repository.push_blob(&good).expect("pushed");
    let bad_digest = repository.push_blob(&bad).expect("pushed");
    server.assert_sound();
    assert!(server.stop().success());
    damage(&server, bad.len() as u64);
    server.start_again();

    let found = server.berth("fsck").arg("--deep").fail();
    assert!(
        found.text().contains(&bad_digest.to_string())
            || found.complaints().contains(&bad_digest.to_string()),
        "{found}"
    );
    assert!(!found.text().contains(&good_digest.to_string()), "{found}");
    server.berth("fsck").args(["--deep", "--repair"]).finish();
    let head = Request::head(repository.path(&format!("blobs/{bad_digest}")));
    until("the blob is hidden", Duration::from_mins(1), || (server.ask(&head).status == 404).then_some(()));
    repository.push_blob(&bad).expect("pushed again");
    assert!(repository.blob(&bad_digest).expect("an answer").expect(200).body == bad);
    assert!(repository.blob(&good_digest).expect("an answer").expect(200).body == good);
}

/// Changes one byte of the one published file of this length.
fn damage(server: &BerthServer, length: u64) {
    let found = Program::new("find")
        .arg(server.data())
        .args(["-type", "f", "-size", &format!("{length}c")])
        .run()
        .text();
    let mut content =
        fs::read(&found).unwrap_or_else(|error| panic!("one file of {length} bytes, not {found:?}: {error}"));
    content[1000] ^= 1;
    Program::as_root("chmod").args(["0640", &found]).run();
    fs::write(&found, content).expect("a published file can be damaged by root");
    assert_ne!(Digest::sha256(&fs::read(&found).expect("readable")), Digest::sha256(b""));
}

#[test]
fn the_configuration_is_shown_and_mistakes_are_refused() {
    let scratch = Scratch::new();
    let berth = |arguments: &[&str]| {
        BerthServer::program("config").args(arguments).env("XDG_DATA_HOME", scratch.path())
    };
    let shown = berth(&["show"]).env("BERTH_DATABASE__URL", "postgres://berth:secret@db/berth");
    let shown = shown.env("BERTH_ACCESS__SECRET_KEY", "secret@ of sixteen bytes").run();
    assert!(!shown.text().contains("secret@"), "{shown}");
    let file = scratch.write("berth.yaml", "registry:\n  manifest_limitt: 8MiB\n");
    let refused = berth(&["check", "--config"]).arg(&file).fail();
    for word in ["berth.yaml", "2", "manifest_limit"] {
        assert!(refused.complaints().contains(word), "{word} in {refused}");
    }
    assert!(
        berth(&["check"])
            .env("BERTH_SERVER__NOTHING", "1")
            .fail()
            .complaints()
            .contains("BERTH_SERVER__NOTHING")
    );
    berth(&["check"]).env("BERTH_PORT", "tcp://10.0.0.1:80").run();
}
