//! The machine fails: the disk is full, read-only, files run out. The server says so, goes on, and loses nothing.

use std::path::Path;

use berth_oci::Digest;
use berth_testkit::credentials::{ADMIN, ADMIN_PASSWORD};
use berth_testkit::{
    BerthServer, Connection, Ext4, Image, Repository, Request, Response, Tmpfs, random_bytes, until,
};
use rustix::fs::{Mode, chmod};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::browser::form;
use crate::house::PATIENCE;

/// Pushes blobs until one is refused; gives those that were acknowledged, and the refusal.
fn push_until_refused(repository: &Repository, len: usize) -> (Vec<Vec<u8>>, Response) {
    let mut acknowledged = Vec::new();
    for seed in 1..1000 {
        let content = random_bytes(seed, len);
        let mut upload = match repository.ask(&Request::post(repository.path("blobs/uploads/"))) {
            Ok(answer) if answer.status == 202 => repository.open_upload().expect("opened"),
            Ok(refused) => return (acknowledged, refused),
            Err(error) => panic!("the server went away: {error}"),
        };
        let answer = upload.close(&Digest::sha256(&content), &content).expect("an answer, not a hang-up");
        if answer.status != 201 {
            return (acknowledged, answer);
        }
        acknowledged.push(content);
    }
    panic!("the disk never was full");
}

fn assert_all_there(repository: &Repository, contents: &[Vec<u8>]) {
    for content in contents {
        let found = repository.blob(&Digest::sha256(content)).expect("an answer").expect(200);
        assert!(found.body == *content);
    }
}

#[test]
fn a_full_disk_is_said_and_survived() {
    let disk = Tmpfs::mount(48);
    let mut server = BerthServer::setup().data(disk.path().join("data")).start();
    let repository = server.repository("library/full");
    let (acknowledged, refused) = push_until_refused(&repository, 3_000_000);
    assert!(acknowledged.len() > 5, "only {} blobs fitted", acknowledged.len());
    assert_says_full(&refused);

    assert_all_there(&repository, &acknowledged);
    server.kill();
    server.start_again();
    assert_all_there(&repository, &acknowledged);
    disk.remount("size=200m");
    repository.push_image("1", &Image::random(9, 3_000_000)).expect("there is room again");
    server.assert_sound();
}

/// Blobs and the database share it, and neither finds a block any more.
#[test]
fn a_disk_that_is_full_to_the_last_block_is_said_and_survived() {
    let disk = Ext4::mount(48);
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, random_bytes(0, 12_000_000)).expect("it fits");
    let mut server = BerthServer::setup().data(disk.path().join("data")).start();
    let repository = server.repository("library/full");
    let image = Image::random(9, 300_000);
    repository.push_image("1", &image).expect("pushed");
    // The last ones are so small that they are rows, not files.
    let refusals = [1_000_000, 20_000, 1000].map(|len| {
        let (acknowledged, refused) = push_until_refused(&repository, len);
        assert_says_full(&refused);
        acknowledged
    });
    let acknowledged = refusals.concat();
    assert!(acknowledged.len() > 10, "only {} blobs fitted", acknowledged.len());
    // What was refused left a little room in the database's log. The least that is ever written takes it up.
    let mut log_ins = (0..100).map(|_| server.ask(&form(ADMIN, ADMIN_PASSWORD)));
    assert_says_full(&log_ins.find(|answer| answer.status != 200).expect("the disk never was full"));
    assert_says_full(&server.ask(&Request::delete(repository.path("manifests/1"))));
    let project = Request::post("/api/v2.0/projects").body(r#"{ "project_name": "new" }"#);
    assert_says_full(&server.ask(&project));
    let assert_all = || {
        assert_all_there(&repository, &acknowledged);
        repository.assert_image("1", &image);
    };
    assert_all();
    let unready = until("the server is not ready", PATIENCE, || {
        Some(server.ask(&Request::get("/readyz"))).filter(|answer| answer.status == 503)
    });
    assert!(unready.text().contains("storage is full"), "{}", unready.text());
    server.kill();
    std::fs::remove_file(&ballast).expect("an operator makes room");
    server.start_again();
    assert_all();
    repository.push_image("2", &Image::random(10, 3_000_000)).expect("there is room again");
    server.assert_sound();
}

#[track_caller]
fn assert_says_full(refused: &Response) {
    assert_eq!(refused.status, 507, "{}", refused.text());
    let words = refused.json()["errors"][0]["message"].as_str().expect("a message").to_owned();
    assert!(words.contains("is full: its operator must make room"), "{words}");
}

#[test]
fn a_full_disk_of_blobs_gives_its_partial_bytes_back() {
    let disk = Tmpfs::mount(32);
    let server = BerthServer::setup().set("storage.directory", disk.path().join("blobs").display()).start();
    let repository = server.repository("library/full");
    let kept = random_bytes(1, 4_000_000);
    repository.push_blob(&kept).expect("pushed");
    for seed in 2..6 {
        let too_large = random_bytes(seed, 60_000_000);
        let pushed = repository.push_stream(&Digest::sha256(&too_large), &mut too_large.as_slice());
        assert!(pushed.is_err(), "60 MB do not fit into 32 MiB");
    }
    // The space of what was refused is there again.
    repository.push_blob(&random_bytes(7, 20_000_000)).expect("20 MB fit");
    assert_all_there(&repository, &[kept]);
}

#[test]
fn a_read_only_disk_still_serves() {
    let disk = Tmpfs::mount(64);
    let server = BerthServer::setup().set("storage.directory", disk.path().join("blobs").display()).start();
    let repository = server.repository("library/read-only");
    let content = random_bytes(1, 2_000_000);
    let digest = repository.push_blob(&content).expect("pushed");
    disk.remount("ro");
    let other = random_bytes(2, 2_000_000);
    let refused =
        repository.open_upload().and_then(|mut upload| upload.close(&Digest::sha256(&other), &other));
    assert_says_unwritable(&refused.expect("an answer, not a hang-up"));
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
    disk.remount("rw");
    repository.push_blob(&other).expect("writable again");
}

#[track_caller]
fn assert_says_unwritable(refused: &Response) {
    assert_eq!(refused.status, 503, "{}", refused.text());
    let words = refused.json()["errors"][0]["message"].as_str().expect("an OCI error").to_owned();
    assert!(words.contains("cannot be written to"), "an operator knows what to do: {words}");
}

/// Somebody changed the owner or the mode of what lies below the data directory.
#[test]
fn a_directory_without_permission_is_said_and_survived() {
    let disk = Tmpfs::mount(64);
    let blobs = disk.path().join("blobs");
    let server = BerthServer::setup().obeying_modes().set("storage.directory", blobs.display()).start();
    let repository = server.repository("library/closed");
    let content = random_bytes(1, 2_000_000);
    let digest = repository.push_blob(&content).expect("pushed");
    set_modes(&blobs, 0o500);

    let other = random_bytes(2, 2_000_000);
    let refused =
        repository.open_upload().and_then(|mut upload| upload.close(&Digest::sha256(&other), &other));
    assert_says_unwritable(&refused.expect("an answer, not a hang-up"));
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
    assert_eq!(repository.blob(&Digest::sha256(&other)).expect("an answer").status, 404);

    set_modes(&blobs, 0o700);
    let published = blobs.join("blobs");
    set_modes(&published, 0o000);
    let refused = repository.blob(&digest).expect("an answer, not a hang-up");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("may not be read"), "an operator knows what to do: {}", refused.text());
    let place = published.display().to_string();
    until("the log says where", PATIENCE, || server.log().contains(&place).then_some(()));

    set_modes(&published, 0o700);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
    repository.push_blob(&other).expect("permitted again");
    server.assert_sound();
}

/// Sets the mode of a directory and of every one below it.
fn set_modes(directory: &Path, mode: u32) {
    let entries: Vec<_> =
        directory.read_dir().expect("readable").map(|entry| entry.expect("an entry").path()).collect();
    entries.iter().filter(|path| path.is_dir()).for_each(|path| set_modes(path, mode));
    chmod(directory, Mode::from_raw_mode(mode)).expect("the owner may");
}

#[test]
fn running_out_of_open_files_is_survived() {
    let server = BerthServer::start();
    let repository = server.repository("library/files");
    let content = random_bytes(1, 1_000_000);
    let digest = repository.push_blob(&content).expect("pushed");
    let mut early = Connection::open(&server.address()).expect("a connection");
    let limit = Rlimit { current: Some(64), maximum: Some(64) };
    let pid = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
    prlimit(pid, Resource::Nofile, limit).expect("the limit can be set");

    let mut connections: Vec<_> = (0..80).filter_map(|_| Connection::open(&server.address()).ok()).collect();
    assert!(connections.len() > 64, "the kernel takes connections that the server cannot");
    // Who was there before is told what it is.
    let refused = (3..1000).find_map(|seed| {
        let content = random_bytes(seed, 1_000_000);
        let whole = repository.path(&format!("blobs/uploads/?digest={}", Digest::sha256(&content)));
        let answer = early.ask(&Request::post(whole).body(content)).expect("an answer, not a hang-up");
        (answer.status != 201).then_some(answer)
    });
    let refused = refused.expect("no file is left for a blob");
    assert_eq!((refused.status, refused.code().as_str()), (503, "UNAVAILABLE"), "{}", refused.text());
    assert!(refused.text().contains("file descriptors"), "{}", refused.text());
    connections.clear();
    let found = until("the server serves again", std::time::Duration::from_mins(1), || {
        repository.blob(&digest).ok().filter(|answer| answer.status == 200)
    });
    assert!(found.body == content);
    repository.push_blob(&random_bytes(2, 1_000_000)).expect("pushed");
}

#[test]
fn a_database_that_is_moved_away_makes_the_server_unready() {
    let server = BerthServer::start();
    let (repository, image) = (server.repository("library/moved"), Image::random(11, 100_000));
    repository.push_image("1", &image).expect("pushed");
    let (database, away) = (server.data().join("berth.db"), server.data().join("away.db"));
    std::fs::rename(&database, &away).expect("somebody tidies up");
    let is = |status: u16| {
        let answer = || Some(server.ask(&Request::get("/readyz"))).filter(|answer| answer.status == status);
        until("the server has noticed", PATIENCE, answer)
    };
    let unready = is(503).text();
    assert_eq!(unready, "not ready: database: the database does not answer\n");
    let words = "berth.db, which is open, is not there any more";
    until("the log says why", PATIENCE, || server.log().contains(words).then_some(()));
    server.ask(&Request::get("/healthz")).expect(200);
    std::fs::rename(&away, &database).expect("and puts it back");
    is(200);
    repository.push_image("2", &image).expect("pushed");
    server.assert_sound();
}
