//! The disk fails under a running server, and the kernel makes its file system read-only: whoever pushes or changes something is told
//! what the matter is, pulls go on, and after the repair everything that was acknowledged is there.

use std::time::Duration;

use berth_oci::{Digest, media_type};
use berth_testkit::{BerthServer, Ext4, Image, Request, Response, Upload, random_bytes, until};
use serde_json::json;

use crate::browser::{Browser, form};
use crate::house::{House, PASSWORD, PATIENCE};

/// A house whose database and blobs are on a disk of their own, and what was done in it before the disk fails.
struct Site {
    house: House,
    disk: Ext4,
    /// `warm` was pulled a moment ago, `cold` never was.
    images: [(&'static str, Image); 2],
    half: Vec<u8>,
    upload: Upload,
    session: Browser,
}

impl Site {
    fn open() -> Self {
        let disk = Ext4::mount(64);
        let setup =
            BerthServer::setup().data(disk.path().join("data")).set("projects.create_on_push", "false");
        let house = House::over(setup.with_movable_clock().start());
        let repository = house.server.repository("team/app");
        let images = [("warm", Image::random(1, 300_000)), ("cold", Image::random(2, 300_000))];
        for (tag, image) in &images {
            repository.push_image(tag, image).expect("pushed");
        }
        repository.assert_image("warm", &images[0].1);
        let half = random_bytes(3, 2_000_000);
        let mut upload = repository.open_upload().expect("opened");
        upload.append(0, &half[..1_000_000]).expect("an answer").expect(202);
        let session = Browser::log_in(&house.server, "alice", PASSWORD);
        Self { house, disk, images, half, upload, session }
    }

    fn ask(&self, request: &Request) -> Response {
        self.house.server.ask(request)
    }

    #[track_caller]
    fn assert_pulls(&self) {
        let repository = self.house.server.repository("team/app");
        for (tag, image) in &self.images {
            repository.assert_image(tag, image);
            let path = format!("/v2/team/app/manifests/{tag}");
            let manifest = Request::get(path).header("Accept", "*/*");
            self.ask(&manifest.clone().login("alice", PASSWORD)).expect(200);
            let token = "/service/token?service=harbor-registry&scope=repository:team/app:pull";
            let token = self.ask(&Request::get(token).login("alice", PASSWORD)).expect(200).json();
            let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
            self.ask(&manifest.header("Authorization", token)).expect(200);
        }
        assert_eq!(repository.tags().expect("a list"), ["cold", "warm"]);
        assert_eq!(self.session.who(&self.house.server), 200);
    }

    /// Everything that needs a write, and how the refusal says why.
    #[track_caller]
    fn assert_refused(&mut self) {
        let repository = self.house.server.repository("team/app");
        let appended = self.upload.append(1_000_000, &self.half[1_000_000..]).expect("an answer");
        // An upload is written down when its bytes are.
        let mut upload = repository.open_upload().expect("opened");
        let closed = upload.close(&Digest::sha256(&self.half), &self.half).expect("an answer");
        let image = &self.images[0].1;
        let manifest = Request::put(repository.path("manifests/new"));
        let manifest = manifest.header("Content-Type", media_type::OCI_MANIFEST).body(image.manifest());
        let whole = repository.path(&format!("blobs/uploads/?digest={}", Digest::sha256(b"whole")));
        let project = json!({ "project_name": "new" }).to_string();
        let requests = [
            ("a small blob", Request::post(whole).body("whole")),
            ("a manifest", manifest),
            ("a deletion of a tag", Request::delete(repository.path("manifests/warm"))),
            ("a deletion", Request::delete(repository.path(&format!("manifests/{}", image.digest())))),
            ("a log-in", form("alice", PASSWORD)),
            ("a change", Request::post("/api/v2.0/projects").body(project)),
        ];
        let answers = requests.map(|(what, request)| (what, self.ask(&request)));
        for (what, refused) in answers.into_iter().chain([("a chunk", appended), ("a blob", closed)]) {
            assert_eq!(refused.status, 503, "{what}: {}", refused.text());
            let words = refused.json()["errors"][0]["message"].as_str().expect("a message").to_owned();
            assert!(words.contains("cannot be written to") && words.contains("operator"), "{what}: {words}");
            assert!(refused.header("Retry-After").is_some(), "{what}");
        }
    }
}

#[test]
fn a_disk_that_turns_read_only_stops_no_pull_and_loses_nothing() {
    let mut site = Site::open();
    site.disk.fail();
    for _ in 0..3 {
        site.assert_refused();
        site.assert_pulls();
        // Nothing is believed any more that was known before.
        site.house.server.set_clock_ahead(Duration::from_mins(20));
    }
    let unready = until("the server is not ready", PATIENCE, || {
        Some(site.ask(&Request::get("/readyz"))).filter(|answer| answer.status == 503)
    });
    let unwell = "database: the database cannot be written to; registry: storage cannot be written to";
    assert_eq!(unready.text(), format!("not ready: {unwell}\n"));
    site.ask(&Request::get("/healthz")).expect(200);
    assert!(site.house.server.is_running());
    site.house.server.set_clock_ahead(Duration::ZERO);
    assert!(site.house.server.stop().success(), "{}", site.house.server.log());
    let refused = site.house.server.berth("serve").args(["--listen", "127.0.0.1:0"]).fail();
    assert!(refused.complaints().contains("Read-only file system"), "{refused}");

    site.disk.repair();
    site.house.server.start_again();
    site.assert_pulls();
    let repository = site.house.server.repository("team/app");
    assert_eq!(site.upload.offset().expect("it is still open"), 1_000_000);
    let digest = Digest::sha256(&site.half);
    site.upload.close(&digest, &site.half[1_000_000..]).expect("an answer").expect(201);
    assert!(repository.blob(&digest).expect("an answer").expect(200).body == site.half);
    repository.push_image("new", &Image::random(4, 100_000)).expect("writable again");
    Browser::log_in(&site.house.server, "alice", PASSWORD);
    site.house.server.assert_sound();
}
