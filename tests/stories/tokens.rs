//! An upload that lasts longer than its token: it belongs to whoever began it, who goes on with a fresh one.

use std::io::Read as _;
use std::time::Duration;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Request, Response, random_bytes};
use serde_json::json;

use crate::house::{House, PASSWORD};

/// Longer than a token lasts.
const LONG: Duration = Duration::from_mins(31);
const MEGABYTE: usize = 1_000_000;

/// Somebody who pushes with tokens.
struct Person<'a> {
    house: &'a House,
    name: &'static str,
    token: String,
}

impl<'a> Person<'a> {
    fn new(house: &'a House, name: &'static str) -> Self {
        let mut person = Self { house, name, token: String::new() };
        person.get_token();
        person
    }

    fn get_token(&mut self) {
        let path = "/service/token?service=harbor-registry&scope=repository:team/long:pull,push";
        let answer = self.house.server.ask(&Request::get(path).login(self.name, PASSWORD)).expect(200);
        self.token = format!("Bearer {}", answer.json()["token"].as_str().expect("a token"));
    }

    fn asks(&self, request: Request) -> Response {
        self.house.server.ask(&request.header("Authorization", &self.token))
    }

    fn patches(&self, location: &str, content: &[u8], offset: usize) -> Response {
        let end = (offset + MEGABYTE).min(content.len());
        let patch = Request::patch(location).header("Content-Range", format!("{offset}-{}", end - 1));
        self.asks(patch.body(&content[offset..end]))
    }

    #[track_caller]
    fn assert_knows_nothing_of(&self, location: &str, digest: &Digest) {
        let closing = format!("{location}{}digest={digest}", if location.contains('?') { '&' } else { '?' });
        for request in [
            Request::get(location),
            Request::patch(location).body("x"),
            Request::put(closing),
            Request::delete(location),
        ] {
            let method = request.method().to_owned();
            let refused = self.asks(request);
            assert_eq!((refused.status, refused.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"), "{method}");
        }
    }
}

fn location(answer: &Response) -> String {
    answer.header("Location").expect("a location").to_owned()
}

#[test]
fn an_upload_outlives_its_token_for_its_owner_only() {
    let setup = BerthServer::setup().set("projects.create_on_push", "false").with_movable_clock();
    let house = House::over(setup.start());
    let bob =
        json!({ "username": "bob", "email": "bob@example.org", "realname": "Bob", "password": PASSWORD });
    house.make("users", &bob);
    house.make("projects/team/members", &json!({ "role_id": 2, "member_user": { "username": "bob" } }));
    let (content, mut alice) = (random_bytes(1, 5 * MEGABYTE), Person::new(&house, "alice"));
    let digest = Digest::sha256(&content);
    let uploads = "/v2/team/long/blobs/uploads/";

    let mut at = location(&alice.asks(Request::post(uploads)).expect(202));
    at = location(&alice.patches(&at, &content, 0).expect(202));
    house.server.set_clock_ahead(LONG);
    let over = alice.patches(&at, &content, MEGABYTE).expect(401);
    let challenge = over.header("WWW-Authenticate").expect("a challenge");
    assert!(challenge.contains("scope=\"repository:team/long:pull,push\""), "{challenge}");
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    alice.get_token();
    let state = alice.asks(Request::get(&at)).expect(204);
    assert_eq!(state.header("Range"), Some("0-999999"));
    at = location(&alice.patches(&at, &content, MEGABYTE).expect(202));

    let bob = Person::new(&house, "bob");
    bob.asks(Request::post(uploads)).expect(202);
    bob.assert_knows_nothing_of(&at, &digest);

    // One body during which the token ends.
    let mut connection = house.server.connect();
    let host = connection.host().to_owned();
    let rest = &content[2 * MEGABYTE..];
    let patch = Request::patch(&at).header("Content-Range", format!("2000000-{}", content.len() - 1));
    let patch = patch.header("Content-Length", rest.len()).header("Authorization", &alice.token);
    connection.send(&patch.header("Expect", "100-continue").head_bytes(&host)).expect("sent");
    // It let the client in when it says so.
    let mut said = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    connection.socket().read_exact(&mut said).expect("an invitation");
    connection.send(&rest[..MEGABYTE]).expect("sent");
    house.server.set_clock_ahead(2 * LONG);
    connection.send(&rest[MEGABYTE..]).expect("sent");
    let whole = connection.answer(false).expect("an answer").whole().expect("whole").expect(202);
    assert_eq!(whole.header("Range"), Some("0-4999999"));
    at = location(&whole);

    bob.asks(Request::get(&at)).expect(401);
    alice.asks(Request::get(&at)).expect(401);
    alice.get_token();
    let close = format!("{at}{}digest={digest}", if at.contains('?') { '&' } else { '?' });
    alice.asks(Request::put(close)).expect(201);
    let found = alice.asks(Request::get(format!("/v2/team/long/blobs/{digest}"))).expect(200);
    assert!(found.body == content);
}
