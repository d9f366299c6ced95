//! Bad input over the wire: clients that are slow, many, long-winded, or lie. Each gets an answer, and nobody else notices.

use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Connection, Image, Request, Upload, random_bytes, until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const PATIENCE: Duration = Duration::from_secs(90);
/// For what a story sets to a second: less than what holds where nobody sets it, which is 15 s for a header and a minute for a body.
const SOON: Duration = Duration::from_secs(10);

/// Waits until the other side hung up; one that only says nothing did not.
#[track_caller]
fn until_closed(connection: &Connection) {
    connection.socket().set_read_timeout(Some(SOON)).expect("a timeout can be set");
    let mut socket = connection.socket();
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            // It had not read everything.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
            Err(error) => panic!("the connection was not closed: {error}"),
        }
    }
}

/// How many connections the server says are open.
fn open_connections(server: &BerthServer) -> usize {
    let metrics = server.ask(&Request::get("/metrics")).expect(200).text();
    let number = metrics.lines().find_map(|line| line.strip_prefix("berth_connections "));
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number in {metrics}"))
}

#[test]
fn a_slow_head_is_cut_off() {
    let server = BerthServer::setup().set("server.header_timeout", "1s").start();
    let repository = server.repository("library/slow");
    let image = Image::random(1, 10_000);
    repository.push_image("1", &image).expect("pushed");
    let mut slow: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for connection in &mut slow {
        connection.send(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ").expect("sent");
    }
    repository.assert_image("1", &image);
    slow.iter().for_each(until_closed);
}

#[test]
fn a_body_that_stands_still_is_cut_off_and_one_that_moves_is_not() {
    let server = BerthServer::setup().set("server.body_timeout", "1s").start();
    let repository = server.repository("library/slow");
    let content = random_bytes(2, 100_000);
    let mut stalled = repository.open_upload().expect("opened");
    let mut connection = server.connect();
    let host = connection.host().to_owned();
    let patch = |upload: &Upload| {
        Request::patch(&upload.location).header("Content-Length", content.len()).head_bytes(&host)
    };
    connection.send(&patch(&stalled)).expect("sent");
    connection.send(&content[..50_000]).expect("sent");
    until_closed(&connection);
    until("the session keeps what came", PATIENCE, || (stalled.offset().ok()? == 50_000).then_some(()));

    // Five pieces, each within the timeout, all together beyond it.
    let moving = repository.open_upload().expect("opened");
    let mut connection = server.connect();
    connection.send(&patch(&moving)).expect("sent");
    for piece in content.chunks(20_000) {
        // A slow client is what this is about.
        std::thread::sleep(Duration::from_millis(400));
        connection.send(piece).expect("a body that moves is read");
    }
    assert_eq!(connection.answer(false).expect("an answer").status, 202);
}

#[test]
fn ten_thousand_idle_connections_leave_room_for_the_next() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("up to the hard limit");
    assert!(
        limit.maximum.is_none_or(|maximum| maximum > 10_200),
        "10,000 connections need 10,200 open files"
    );
    // Opening all of them may take longer than an idle one may stay.
    let setup = BerthServer::setup().set("server.header_timeout", "1h").set("server.idle_timeout", "1h");
    let server = setup.start();
    let image = Image::random(3, 10_000);
    let repository = server.repository("library/idle");
    repository.push_image("1", &image).expect("pushed");
    repository.assert_image("1", &image);
    let before = server.anonymous_memory();
    // Half of them have never said a word, the others were served.
    let manifest = Request::get("/v2/library/idle/manifests/1").header("Accept", "*/*").anonymous();
    let open = |number: usize| {
        let mut connection = server.connect();
        if number.is_multiple_of(2) {
            connection.ask(&manifest).expect("an answer").expect(200);
        }
        connection
    };
    let mut idle: Vec<_> = (0..10_000).map(open).collect();
    repository.push_image("2", &Image::random(4, 10_000)).expect("pushed");
    repository.assert_image("1", &image);
    let each = server.anonymous_memory().saturating_sub(before) / 10_000;
    assert!(each < 32 << 10, "an idle connection holds {each} bytes");
    let still_open = open_connections(&server);
    assert!(still_open >= 10_000, "only {still_open} connections are still open");
    // An odd step, so that silent ones and served ones are among them.
    for connection in idle.iter_mut().step_by(499) {
        connection.ask(&manifest).expect("an answer").expect(200);
    }
    drop(idle);
    repository.assert_image("1", &image);
}

#[test]
fn one_connection_too_many_is_told_to_come_later() {
    let server = BerthServer::setup().set("server.max_connections", 20).start();
    let mut held = Vec::new();
    let refused = loop {
        assert!(held.len() <= 20, "a connection beyond the limit is served");
        let mut connection = server.connect();
        let answer = connection.ask(&Request::get("/v2/")).expect("an answer");
        if answer.status != 200 {
            break answer;
        }
        held.push(connection);
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(held);
    until("there is room again", PATIENCE, || {
        let answer = Connection::open(&server.address()).and_then(|mut it| it.ask(&Request::get("/v2/")));
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    });
}

#[test]
fn a_uri_of_64_kib_is_too_long() {
    let server = BerthServer::start();
    let path = format!("/v2/library/{}/manifests/1", "a".repeat(65_536));
    let answer = server.ask(&Request::get(path));
    assert_eq!(answer.status, 414);
    assert_eq!(server.ask(&Request::get("/v2/")).status, 200);
}

#[test]
fn a_blob_comes_in_one_body_of_ten_thousand_pieces_of_one_byte() {
    let server = BerthServer::start();
    let repository = server.repository("library/bytes");
    let content = random_bytes(4, 10_000);
    let digest = Digest::sha256(&content);
    let mut upload = repository.open_upload().expect("opened");
    let mut connection = server.connect();
    let host = connection.host().to_owned();
    let head = Request::patch(&upload.location).header("Transfer-Encoding", "chunked").head_bytes(&host);
    connection.send(&head).expect("sent");
    for byte in &content {
        connection.send(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']).expect("sent");
    }
    connection.send(b"0\r\n\r\n").expect("sent");
    let answer = connection.answer(false).expect("an answer").whole().expect("whole").expect(202);
    answer.header("location").expect("a location").clone_into(&mut upload.location);
    upload.close(&digest, b"").expect("an answer").expect(201);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
}

/// Each is durable when it is answered.
#[test]
fn a_blob_comes_in_ten_thousand_chunks_of_one_byte() {
    let server = BerthServer::start();
    let repository = server.repository("library/bytes");
    let content = random_bytes(5, 10_000);
    let mut upload = repository.open_upload().expect("opened");
    let mut connection = server.connect();
    for (offset, byte) in content.iter().enumerate() {
        let patch = Request::patch(&upload.location).header("Content-Range", format!("{offset}-{offset}"));
        let answer = connection.ask(&patch.body([*byte])).expect("an answer").expect(202);
        assert_eq!(answer.header("range"), Some(format!("0-{offset}").as_str()));
        answer.header("location").expect("a location").clone_into(&mut upload.location);
    }
    let digest = Digest::sha256(&content);
    upload.close(&digest, b"").expect("an answer").expect(201);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
}

#[test]
fn a_body_longer_or_shorter_than_it_says_makes_nothing() {
    let server = BerthServer::start();
    let repository = server.repository("library/lies");
    let content = random_bytes(6, 50_000);
    let digest = Digest::sha256(&content);
    let put = |length: usize| {
        let upload = repository.open_upload().expect("opened");
        let separator = if upload.location.contains('?') { '&' } else { '?' };
        let path = format!("{}{separator}digest={digest}", upload.location);
        Request::put(path).header("Content-Length", length).body(content.clone())
    };
    // Longer: only what was announced is the body, which then has another digest.
    let mut connection = server.connect();
    let answer = connection.ask(&put(content.len() - 1)).expect("an answer").expect(400);
    assert_eq!(answer.code(), "DIGEST_INVALID");
    // Shorter: the end never comes.
    let mut connection = server.connect();
    let host = connection.host().to_owned();
    let mut bytes = put(content.len() + 1).head_bytes(&host);
    bytes.extend(&content);
    connection.send(&bytes).expect("sent");
    drop(connection);
    assert_eq!(repository.blob(&digest).expect("an answer").status, 404);
    repository.push_blob(&content).expect("an honest client is served");
}

#[test]
fn odd_paths_and_methods_get_oci_errors_and_reach_nothing() {
    let server = BerthServer::start();
    for (path, status, code) in [
        ("/v2/library/%2e%2e/%2e%2e/etc/manifests/passwd", 400, "NAME_INVALID"),
        ("/v2/../../../etc/passwd", 404, "UNSUPPORTED"),
        ("/v2/library%2fhello/manifests/1", 400, "NAME_INVALID"),
        ("/v2/library//hello/manifests/1", 400, "NAME_INVALID"),
        ("/v2/Library/Hello/manifests/1", 400, "NAME_INVALID"),
        ("/v2/library/hello/manifests/1/", 404, "UNSUPPORTED"),
        ("/v2/hello/manifests/1", 400, "NAME_INVALID"),
        ("/v2/library/hello/manifests/.bad", 400, "TAG_INVALID"),
        ("/v2/library/hello/blobs/sha256:ABC", 400, "DIGEST_INVALID"),
        ("/v2/library/hello/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"),
        ("/v2/library/hello/tags/list?n=-1", 400, "PAGINATION_NUMBER_INVALID"),
        ("/v2/library/hello/nothing", 404, "UNSUPPORTED"),
    ] {
        let answer = server.ask(&Request::get(path));
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    let answer = server.ask(&Request::new("TRACE", "/v2/library/hello/manifests/1")).expect(405);
    assert!(answer.header("allow").is_some_and(|methods| methods.contains("GET")));
    assert_eq!(answer.code(), "UNSUPPORTED");
}
