//! Two servers on one PostgreSQL: what one takes away is gone at the other within five seconds, and what one gives counts there.

use std::time::{Duration, Instant};

use berth_testkit::{BerthServer, Image, Postgres, Request, Scratch, until};
use serde_json::{Value, json};

use crate::browser::{Browser, TOKEN};
use crate::house::{House, PASSWORD};

/// Three times what is promised, because this machine may be busy.
const PATIENCE: Duration = Duration::from_secs(15);
const FRESH: &str = "Fresh-Passw0rd";

/// The two of them.
struct Pair {
    house: House,
    other: BerthServer,
    _blobs: Scratch,
}

impl Pair {
    fn open() -> Self {
        let (database, blobs) = (Postgres::shared().new_database(), Scratch::new());
        let start = || {
            let setup = BerthServer::setup().set("database.url", &database);
            let setup = setup.set("storage.directory", blobs.path().display());
            setup.set("projects.create_on_push", "false").start()
        };
        let house = House::over(start());
        house.server.repository("team/app").push_image("1", &Image::random(6, 1000)).expect("pushed");
        Self { house, other: start(), _blobs: blobs }
    }

    /// The status of a pull at the other server.
    fn pull(&self, authorize: impl FnOnce(Request) -> Request) -> u16 {
        self.other.ask(&authorize(Request::get("/v2/team/app/manifests/1").header("Accept", "*/*"))).status
    }

    fn bearer(&self, token: &str) -> u16 {
        self.pull(|request| request.header("Authorization", format!("Bearer {token}")))
    }

    /// The status of the question to the other server for a token by a refresh token, and the token.
    fn redeem(&self, refresh: &str) -> (u16, Option<String>) {
        let form = format!(
            "grant_type=refresh_token&service=harbor-registry&client_id=story&refresh_token={refresh}&scope=repository:team/app:pull"
        );
        let request = Request::post("/service/token").anonymous();
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = self.other.ask(&request.body(form));
        let token = (answer.status == 200).then(|| text(&answer.json(), "access_token"));
        (answer.status, token)
    }
}

fn text(json: &Value, field: &str) -> String {
    json[field].as_str().unwrap_or_else(|| panic!("no {field} in {json}")).to_owned()
}

/// A token and a refresh token from a server.
fn tokens(server: &BerthServer, login: &str, secret: &str) -> (String, Option<String>) {
    let path = "/service/token?service=harbor-registry&scope=repository:team/app:pull&offline_token=true";
    let answer = server.ask(&Request::get(path).login(login, secret)).expect(200).json();
    (text(&answer, "token"), answer["refresh_token"].as_str().map(str::to_owned))
}

/// What was taken away, and whether it is refused.
type Taken<'a> = (&'static str, Box<dyn Fn() -> bool + 'a>);

/// Waits until all of these are refused, and says for each how long that took.
#[track_caller]
#[expect(clippy::print_stderr, reason = "a measurement for people, which nothing asserts closely")]
fn all_go(since: Instant, mut left: Vec<Taken<'_>>) {
    until("everything that was taken away is refused by the other server", PATIENCE, || {
        left.retain(|(what, is_gone)| {
            let gone = is_gone();
            if gone {
                eprintln!("{what}: {} ms", since.elapsed().as_millis());
            }
            !gone
        });
        left.is_empty().then_some(())
    });
}

#[test]
fn a_changed_password_ends_at_the_other_what_was_issued_before() {
    let pair = Pair::open();
    let (house, other) = (&pair.house, &pair.other);
    // What the first one gives counts at the other.
    let (token, refresh) = tokens(&house.server, "alice", PASSWORD);
    let refresh = refresh.expect("a person gets a refresh token");
    let session = Browser::log_in(&house.server, "alice", PASSWORD);
    let make = session.request("POST", "/api/v2.0/projects").header(TOKEN, &session.token);
    other.ask(&make.body(json!({ "project_name": "by-cookie" }).to_string())).expect(201);
    let (status, renewed) = pair.redeem(&refresh);
    assert_eq!((pair.bearer(&token), session.who(other), status), (200, 200, 200));
    let renewed = renewed.expect("a token");
    assert_eq!(pair.bearer(&renewed), 200);
    assert_eq!(pair.pull(|request| request.login("alice", PASSWORD)), 200);

    let change = json!({ "old_password": PASSWORD, "new_password": FRESH });
    let request = Request::new("PUT", "/api/v2.0/users/3/password").login("alice", PASSWORD);
    house
        .server
        .ask(&request.header("Content-Type", "application/json").body(change.to_string()))
        .expect(200);
    let since = Instant::now();
    assert_eq!(pair.pull(|request| request.login("alice", FRESH)), 200, "at once");
    all_go(
        since,
        vec![
            ("the old password", Box::new(|| pair.pull(|request| request.login("alice", PASSWORD)) == 401)),
            ("a token", Box::new(|| pair.bearer(&token) == 401)),
            ("a token by a refresh token", Box::new(|| pair.bearer(&renewed) == 401)),
            ("a refresh token", Box::new(|| pair.redeem(&refresh).0 == 401)),
            ("a session", Box::new(|| session.who(other) == 401)),
        ],
    );
    assert_eq!(pair.pull(|request| request.login("alice", FRESH)), 200);
}

#[test]
fn what_one_takes_away_is_gone_at_the_other() {
    let pair = Pair::open();
    let (house, other) = (&pair.house, &pair.other);
    let (id, robot, secret) = house.robot("far", &["pull"]);
    let (gone, refreshed, fleeting) =
        (house.robot("gone", &["pull"]), house.robot("new", &["pull"]), "alice");
    let (robots, none) = tokens(other, &robot, &secret);
    assert_eq!(none, None, "a robot gets no refresh token");
    let ((gones, _), (news, _)) =
        (tokens(other, &gone.1, &gone.2), tokens(other, &refreshed.1, &refreshed.2));
    let (alices, _) = tokens(other, fleeting, PASSWORD);
    let session = Browser::log_in(&house.server, fleeting, PASSWORD);
    for token in [&robots, &gones, &news, &alices] {
        assert_eq!(pair.bearer(token), 200);
    }
    assert_eq!(session.who(other), 200);

    let mut row = house.rest("GET", &format!("robots/{id}"), &Value::Null).expect(200).json();
    row["disable"] = true.into();
    let path = "projects/team/members?entityname=alice";
    let members = house.rest("GET", path, &Value::Null).expect(200).json();
    let member = members[0]["id"].as_i64().expect("a member");
    house.rest("PUT", &format!("robots/{id}"), &row).expect(200);
    house.rest("DELETE", &format!("robots/{}", gone.0), &Value::Null).expect(200);
    house.rest("PATCH", &format!("robots/{}", refreshed.0), &json!({ "secret": "" })).expect(200);
    house.rest("DELETE", &format!("projects/team/members/{member}"), &Value::Null).expect(200);
    house.server.ask(&session.request("GET", "/c/log_out")).expect(200);
    all_go(
        Instant::now(),
        vec![
            ("a disabled robot's token", Box::new(|| pair.bearer(&robots) == 401)),
            ("a disabled robot", Box::new(|| pair.pull(|request| request.login(&robot, &secret)) == 401)),
            ("a deleted robot's token", Box::new(|| pair.bearer(&gones) == 401)),
            ("a refreshed robot's token", Box::new(|| pair.bearer(&news) == 401)),
            ("a removed member's token", Box::new(|| matches!(pair.bearer(&alices), 401 | 403))),
            ("a session that ended", Box::new(|| session.who(other) == 401)),
        ],
    );
    // Alice is still somebody, and may no longer pull.
    let alice = pair.pull(|request| request.login("alice", PASSWORD));
    assert!(matches!(alice, 401 | 403 | 404), "{alice}");
    other.ask(&Request::get("/api/v2.0/users/current").login("alice", PASSWORD)).expect(200);
}
