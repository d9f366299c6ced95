//! PostgreSQL cannot be reached: who pulls what was pulled a moment ago notices nothing for a minute, everybody else is told in
//! their own protocol to come again, and all comes back by itself.

use std::time::{Duration, Instant};

use berth_oci::{Digest, media_type};
use berth_testkit::{BerthServer, Cable, Image, Postgres, Request, Response, Scratch, random_bytes, until};
use serde_json::json;

use crate::browser::{Browser, form};
use crate::house::{House, PASSWORD};

const PATIENCE: Duration = Duration::from_mins(1);
/// Beyond this nothing is believed, not even for pulls.
const TOO_LONG: Duration = Duration::from_secs(61);

/// A server, and what is between it and its database.
struct Site {
    house: House,
    cable: Cable,
    image: Image,
    session: Browser,
    token: String,
    _blobs: Scratch,
}

impl Site {
    fn open() -> Self {
        let (database, blobs) = (Postgres::shared(), Scratch::new());
        let cable = Cable::to(database);
        let setup = BerthServer::setup().set("database.url", cable.url(&database.new_name()));
        let setup = setup.set("storage.directory", blobs.path().display()).set("database.timeout", "2s");
        let house = House::over(setup.set("projects.create_on_push", "false").with_movable_clock().start());
        let bob =
            json!({ "username": "bob", "email": "b@example.org", "realname": "B", "password": PASSWORD });
        house.make("users", &bob);
        // Its layer is a file, its config a row.
        let image = Image::random(1, 100_000);
        for repository in ["team/app", "library/open"] {
            house.server.repository(repository).push_image("1", &image).expect("pushed");
        }
        let session = Browser::log_in(&house.server, "alice", PASSWORD);
        let answer = house.server.ask(&token().login("alice", PASSWORD)).expect(200).json();
        let token = answer["token"].as_str().expect("a token").to_owned();
        let site = Self { house, cable, image, session, token, _blobs: blobs };
        site.assert_pulls();
        site
    }

    fn ask(&self, request: &Request) -> Response {
        self.house.server.ask(request)
    }

    /// Every way in which somebody may pull what was pulled before.
    fn pulls(&self) -> Vec<Request> {
        let blobs = self.image.blobs().iter().map(|blob| format!("blobs/{}", Digest::sha256(blob)));
        let manifests = ["1".to_owned(), self.image.digest().to_string()];
        let paths: Vec<_> =
            manifests.iter().map(|reference| format!("manifests/{reference}")).chain(blobs).collect();
        let mut requests = Vec::new();
        for path in paths {
            let get =
                |repository: &str| Request::get(format!("/v2/{repository}/{path}")).header("Accept", "*/*");
            requests.push(get("team/app").login("alice", PASSWORD));
            requests.push(get("team/app").header("Authorization", format!("Bearer {}", self.token)));
            requests.push(get("library/open").anonymous());
        }
        requests
    }

    fn push(&self) -> Request {
        let manifest = Request::put("/v2/team/app/manifests/2").login("alice", PASSWORD);
        manifest.header("Content-Type", media_type::OCI_MANIFEST).body(self.image.manifest())
    }

    #[track_caller]
    fn assert_pulls(&self) {
        for request in self.pulls() {
            let answer = self.ask(&request);
            assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
        }
    }

    /// What needs the database, and how the refusal says so.
    #[track_caller]
    fn assert_told_to_wait(&self) {
        let registry = [
            ("a push", self.push()),
            (
                "a mount",
                Request::post(format!(
                    "/v2/team/new/blobs/uploads/?mount={}&from=library/open",
                    self.image.digest()
                )),
            ),
            ("a list of tags", Request::get("/v2/team/app/tags/list")),
            ("the catalog", Request::get("/v2/_catalog")),
            ("a token for somebody new", token().login("bob", PASSWORD)),
            ("a token for somebody known", token().login("alice", PASSWORD)),
        ];
        for (what, request) in registry {
            let refused = self.ask(&request);
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (503, "UNAVAILABLE"),
                "{what}: {}",
                refused.text()
            );
            assert!(refused.header("Retry-After").is_some(), "{what}");
        }
        let rest = [
            ("projects", Request::get("/api/v2.0/projects").login("alice", PASSWORD)),
            (
                "a change",
                Request::post("/api/v2.0/projects").body(json!({ "project_name": "new" }).to_string()),
            ),
            ("a session", self.session.request("GET", "/api/v2.0/users/current")),
            ("a log-in", form("bob", PASSWORD)),
        ];
        for (what, request) in rest {
            let refused = self.ask(&request);
            assert_eq!(refused.status, 503, "{what}: {}", refused.text());
            let message = refused.json()["errors"][0]["message"].as_str().expect("a message").to_owned();
            assert!(message.contains("again"), "{what}: {message}");
            assert!(refused.header("Retry-After").is_some(), "{what}");
        }
        // What it knew a second ago is believed.
        until("the server is not ready", PATIENCE, || {
            (self.ask(&Request::get("/readyz")).status == 503).then_some(())
        });
        self.ask(&Request::get("/healthz")).expect(200);
    }

    /// Everything is as before, without a start.
    #[track_caller]
    fn assert_whole(&self) {
        until("the server is ready again", PATIENCE, || {
            (self.ask(&Request::get("/readyz")).status == 200).then_some(())
        });
        // A connection that died meanwhile may cost one answer each.
        let server = &self.house.server;
        let repository = server.repository("team/after");
        let image = Image::random(2, 50_000);
        until("pushes work again", PATIENCE, || repository.push_image("1", &image).ok());
        repository.assert_image("1", &image);
        until("log-ins work again", PATIENCE, || {
            (self.ask(&token().login("bob", PASSWORD)).status == 200).then_some(())
        });
        assert_eq!(self.session.who(server), 200);
        self.ask(&Request::get("/api/v2.0/projects").login("alice", PASSWORD)).expect(200);
        self.assert_pulls();
    }

    /// Lets so much time pass on the server's clock that nothing is believed without a question.
    fn age(&self) {
        self.house.server.set_clock_ahead(Duration::from_secs(10));
    }
}

fn token() -> Request {
    Request::get("/service/token?service=harbor-registry&scope=repository:team/app:pull")
}

#[test]
fn a_database_that_is_gone_stops_no_pull_for_a_minute() {
    let site = Site::open();
    site.cable.cut();
    site.assert_pulls();
    site.age();
    site.assert_told_to_wait();
    // Longer than anything is remembered without a question.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        site.assert_pulls();
    }
    site.house.server.set_clock_ahead(TOO_LONG);
    for request in site.pulls() {
        let refused = site.ask(&request);
        assert_eq!((refused.status, refused.code().as_str()), (503, "UNAVAILABLE"), "{request:?}");
    }
    site.house.server.set_clock_ahead(Duration::ZERO);
    site.cable.mend();
    site.assert_whole();
}

/// Nobody is told that it is gone: each waits a moment for an answer.
#[test]
fn a_database_that_falls_silent_stops_no_pull() {
    let site = Site::open();
    site.cable.silence();
    site.age();
    for request in site.pulls().into_iter().take(3) {
        let answer = site.ask(&request);
        assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
    }
    // Who wants more than a pull waits, but not for ever.
    site.assert_told_to_wait();
    site.assert_pulls();
    site.house.server.set_clock_ahead(Duration::ZERO);
    site.cable.mend();
    site.assert_whole();
}

/// Its machine died without a word and another one took its address: no connection that was open gets an answer ever again.
#[test]
fn a_database_that_moved_is_found_where_it_is_now() {
    let site = Site::open();
    site.cable.lose();
    // Who wants more than a pull is not left waiting with a connection that nobody answers on.
    let refused = site.ask(&site.push());
    assert_eq!((refused.status, refused.code().as_str()), (503, "UNAVAILABLE"), "{}", refused.text());
    site.age();
    for request in site.pulls() {
        let answer = site.ask(&request);
        assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
    }
    site.house.server.set_clock_ahead(Duration::ZERO);
    site.assert_whole();
}

#[test]
fn an_upload_goes_on_when_the_database_is_back() {
    let site = Site::open();
    let (server, content) = (&site.house.server, random_bytes(3, 400_000));
    let mut upload = server.repository("team/app").open_upload().expect("opened");
    upload.append(0, &content[..200_000]).expect("an answer").expect(202);
    site.cable.cut();
    site.age();
    assert_eq!(upload.append(200_000, &content[200_000..]).expect("an answer").status, 503);
    site.cable.mend();
    until("the upload goes on", PATIENCE, || {
        let offset = usize::try_from(upload.offset().ok()?).ok()?;
        (upload.append(offset as u64, &content[offset..]).ok()?.status == 202).then_some(())
    });
    let digest = Digest::sha256(&content);
    upload.close(&digest, b"").expect("an answer").expect(201);
    assert!(server.repository("team/app").blob(&digest).expect("an answer").expect(200).body == content);
}
