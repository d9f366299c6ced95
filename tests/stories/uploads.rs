//! Uploads that are interrupted, and go on: by the same client, by another, after a restart.

use std::time::Duration;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Random, Request, Upload, random_bytes, until};

const PATIENCE: Duration = Duration::from_mins(1);

/// Appends from where the server is, as soon as it lets this client.
fn go_on(upload: &mut Upload, content: &[u8], at_most: usize) -> usize {
    until("the upload goes on", PATIENCE, || {
        let offset = usize::try_from(upload.offset().ok()?).ok()?;
        let end = content.len().min(offset + at_most);
        let answer = upload.append(offset as u64, &content[offset..end]).ok()?;
        (answer.status == 202).then_some(end)
    })
}

#[test]
fn a_client_that_breaks_off_goes_on_at_the_last_checkpoint() {
    let server = BerthServer::start();
    let repository = server.repository("library/uploads");
    let content = random_bytes(1, 40_000_000);
    let digest = Digest::sha256(&content);
    let mut upload = repository.open_upload().expect("opened");
    let mut random = Random::unforeseen();
    let seed = random.seed();

    // Five times a body that says it is whole and is not.
    for _ in 0..5 {
        let offset = usize::try_from(upload.offset().expect("a status")).expect("an offset");
        let cut = offset + random.index(content.len() - offset);
        let head = Request::patch(&upload.location)
            .header("Content-Range", format!("{offset}-{}", content.len() - 1))
            .header("Content-Length", content.len() - offset);
        let mut connection = server.connect();
        let host = connection.host().to_owned();
        connection.send(&head.head_bytes(&host)).expect("sent");
        connection.send(&content[offset..cut]).expect("sent");
        drop(connection);
        let now = until("the server noticed", PATIENCE, || {
            let now = usize::try_from(upload.offset().ok()?).ok()?;
            // One byte is not told from none by the status.
            (now == cut || cut == 1).then_some(now)
        });
        assert!(now <= cut, "seed {seed}: {now} of {cut}");
    }
    assert_eq!(
        repository.blob(&digest).expect("an answer").status,
        404,
        "nothing is visible before it is closed"
    );
    go_on(&mut upload, &content, content.len());
    upload.close(&digest, b"").expect("an answer").expect(201);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content, "seed {seed}");
}

#[test]
fn an_upload_survives_restarts_and_never_says_more_than_is_there() {
    let mut server = BerthServer::start();
    let repository = server.repository("library/uploads");
    let content = random_bytes(2, 9_000_000);
    let digest = Digest::sha256(&content);
    let mut upload = repository.open_upload().expect("opened");
    let mut acknowledged = 0;
    for round in 0..4 {
        acknowledged = go_on(&mut upload, &content, 2_000_001);
        if round % 2 == 0 {
            server.kill();
        } else {
            assert!(server.stop().success());
        }
        server.start_again();
        assert_eq!(upload.offset().expect("a status"), acknowledged as u64);
    }
    upload.close(&digest, &content[acknowledged..]).expect("an answer").expect(201);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
}

#[test]
fn a_chunk_out_of_order_is_refused_and_the_session_lives() {
    let server = BerthServer::start();
    let repository = server.repository("library/uploads");
    let content = random_bytes(3, 300_000);
    let mut upload = repository.open_upload().expect("opened");
    upload.append(0, &content[..100_000]).expect("an answer").expect(202);
    for (offset, chunk) in
        [(200_000, &content[200_000..]), (0, &content[..100_000]), (99_999, &content[99_999..])]
    {
        upload.append(offset, chunk).expect("an answer").expect(416);
        assert_eq!(upload.offset().expect("a status"), 100_000);
    }
    upload.append(100_000, &content[100_000..]).expect("an answer").expect(202);
    upload.close(&Digest::sha256(b"something else"), b"").expect("an answer").expect(400);
    let digest = repository.push_blob(&content).expect("pushed");
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == content);
}

#[test]
fn a_cancelled_upload_is_gone() {
    let server = BerthServer::start();
    let repository = server.repository("library/uploads");
    let mut upload = repository.open_upload().expect("opened");
    upload.append(0, &random_bytes(4, 100_000)).expect("an answer").expect(202);
    repository.ask(&Request::delete(&upload.location)).expect("an answer").expect(204);
    let gone = repository.ask(&Request::get(&upload.location)).expect("an answer").expect(404);
    assert_eq!(gone.code(), "BLOB_UPLOAD_UNKNOWN");
}
