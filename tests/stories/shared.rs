//! Two servers on one PostgreSQL and one directory of blobs: what one took, the other serves.

use std::thread;
use std::time::Duration;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Image, Index, Postgres, Request, Scratch, Upload, random_bytes, until};

const PATIENCE: Duration = Duration::from_secs(90);

/// What the two share.
struct Common {
    url: String,
    blobs: Scratch,
}

impl Common {
    fn new() -> Self {
        Self { url: Postgres::shared().new_database(), blobs: Scratch::new() }
    }

    fn start(&self) -> BerthServer {
        let setup = BerthServer::setup().set("database.url", &self.url);
        setup
            .set("storage.directory", self.blobs.path().display())
            .set("registry.takeover_after", "1s")
            .start()
    }
}

/// The same upload, reached by another server.
fn at(server: &BerthServer, upload: &Upload) -> Upload {
    upload.at(&server.address())
}

#[test]
fn what_one_takes_the_other_serves() {
    let common = Common::new();
    let (one, two) = (common.start(), common.start());
    let index = Index::random(1, 300_000);
    one.repository("library/shared").push_index("both", &index).expect("pushed");
    let there = two.repository("library/shared");
    assert_eq!(there.manifest("both").expect("an answer").expect(200).body, index.content());
    for image in index.images() {
        there.assert_image(&image.digest().to_string(), image);
    }
    // A tag that moved is seen by the other one within the time that it believes a tag.
    let image = Image::random(2, 100_000);
    one.repository("library/shared").push_image("both", &image).expect("pushed");
    until("the other server sees the move", PATIENCE, || {
        (there.manifest("both").ok()?.body == image.manifest()).then_some(())
    });
    one.repository("library/shared").delete_manifest("both").expect("an answer").expect(202);
    until("the other server sees the deletion", PATIENCE, || {
        (there.manifest("both").ok()?.status == 404).then_some(())
    });
    one.assert_sound();
}

#[test]
fn an_upload_goes_on_at_the_other_server() {
    let common = Common::new();
    let (one, mut two) = (common.start(), common.start());
    let content = random_bytes(3, 9_000_000);
    let digest = Digest::sha256(&content);
    let mut upload = one.repository("library/shared").open_upload().expect("opened");
    let mut offset = 0;
    for round in 0..6 {
        upload = at(if round % 2 == 0 { &one } else { &two }, &upload);
        let end = offset + 1_500_000;
        upload.append(offset as u64, &content[offset..end]).expect("an answer").expect(202);
        offset = end;
    }
    upload.close(&digest, b"").expect("an answer").expect(201);
    for server in [&one, &two] {
        assert!(
            server.repository("library/shared").blob(&digest).expect("an answer").expect(200).body == content
        );
    }

    // A server that dies in the middle of a body leaves its session to the other, no byte of which is mixed up.
    let mut upload = two.repository("library/shared").open_upload().expect("opened");
    let content = random_bytes(4, 5_000_000);
    upload.append(0, &content[..1_000_000]).expect("an answer").expect(202);
    let mut connection = two.connect();
    let host = connection.host().to_owned();
    let head =
        Request::patch(&upload.location).header("Content-Range", format!("1000000-{}", content.len() - 1));
    connection
        .send(&head.header("Content-Length", content.len() - 1_000_000).head_bytes(&host))
        .expect("sent");
    connection.send(&content[1_000_000..3_000_000]).expect("sent");
    two.kill();
    let mut upload = at(&one, &upload);
    until("the other server takes the session over", PATIENCE, || {
        let offset = usize::try_from(upload.offset().ok()?).ok()?;
        let answer = upload.append(offset as u64, &content[offset..]).ok()?;
        (answer.status == 202).then_some(())
    });
    let digest = Digest::sha256(&content);
    upload.close(&digest, b"").expect("an answer").expect(201);
    assert!(one.repository("library/shared").blob(&digest).expect("an answer").expect(200).body == content);
}

#[test]
fn both_take_the_same_pushes_at_once() {
    let common = Common::new();
    let servers = [common.start(), common.start()];
    let images: Vec<_> = (10..20).map(|seed| Image::random(seed, 200_000)).collect();
    thread::scope(|scope| {
        for server in &servers {
            for reversed in [false, true] {
                let mut images: Vec<_> = images.iter().enumerate().collect();
                if reversed {
                    images.reverse();
                }
                scope.spawn(move || {
                    for (number, image) in images {
                        let pushed =
                            server.repository("library/shared").push_image(&format!("tag-{number}"), image);
                        pushed.expect("nobody is in the way of another");
                    }
                });
            }
        }
    });
    for server in &servers {
        for (number, image) in images.iter().enumerate() {
            server.repository("library/shared").assert_image(&format!("tag-{number}"), image);
        }
    }
    servers[0].assert_sound();
}
