//! People in browsers, and those who would like to be them: what a cookie is worth, and what it is not.

use berth_testkit::credentials::{ADMIN, ADMIN_PASSWORD};
use berth_testkit::{BerthServer, Request, Response};
use serde_json::json;

use crate::browser::{Browser, TOKEN, form};
use crate::house::{House, PASSWORD};

const PROJECTS: &str = "/api/v2.0/projects";

fn message(answer: &Response) -> String {
    answer.json()["errors"][0]["message"].as_str().expect("a message").to_owned()
}

#[test]
fn a_session_that_was_prepared_for_somebody_is_not_theirs() {
    let house = House::open();
    let server = &house.server;
    // One that a stranger made up.
    let made_up = format!("sid={}", "ab".repeat(32));
    let answer = server.ask(&form("alice", PASSWORD).header("Cookie", &made_up)).expect(200);
    let alice = Browser::of(&answer);
    assert_ne!(alice.cookie, made_up);
    assert_eq!(alice.who(server), 200);
    assert_eq!(Browser { cookie: made_up, ..alice.clone() }.who(server), 401);

    // One that is a stranger's own, and real.
    let mallory =
        json!({ "username": "mallory", "email": "m@example.org", "realname": "M", "password": PASSWORD });
    house.make("users", &mallory);
    let planted = Browser::log_in(server, "mallory", PASSWORD);
    assert_eq!(planted.who(server), 200);
    let again = server.ask(&form("alice", PASSWORD).header("Cookie", &planted.cookie)).expect(200);
    let again = Browser::of(&again);
    assert_ne!(again.cookie, planted.cookie);
    assert_eq!((again.who(server), planted.who(server)), (200, 401));
    // A failed log-in begins nothing and ends nothing.
    let failed = server.ask(&form("alice", "Wr0ng-one").header("Cookie", &again.cookie)).expect(401);
    assert!(failed.header("Set-Cookie").is_none_or(|cookie| !cookie.starts_with("sid=")), "{failed:?}");
    assert_eq!(again.who(server), 200);
    // Two log-ins of one person are two sessions.
    assert_ne!(Browser::log_in(server, "alice", PASSWORD).cookie, again.cookie);
}

#[test]
fn a_cookie_alone_changes_nothing() {
    let house = House::open();
    let server = &house.server;
    let (alice, other) =
        (Browser::log_in(server, "alice", PASSWORD), Browser::log_in(server, ADMIN, ADMIN_PASSWORD));
    let make = |name: &str| {
        let request = alice.request("POST", PROJECTS).header("Content-Type", "application/json");
        request.body(json!({ "project_name": name }).to_string())
    };
    let is_there = |name: &str| server.ask(&Request::head(format!("{PROJECTS}?project_name={name}"))).status;

    let bare = server.ask(&make("bare")).expect(403);
    assert!(message(&bare).contains(TOKEN), "{}", bare.text());
    assert_eq!(bare.header(TOKEN), Some(alice.token.as_str()), "the answer says how to do better");
    for token in ["", "0", &other.token, &alice.token[1..]] {
        let refused = server.ask(&make("forged").header(TOKEN, token)).expect(403);
        assert!(message(&refused).contains("CSRF token"), "{}", refused.text());
    }
    // A page of another site has the browser send all of it.
    for (header, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let request = make("elsewhere").header(TOKEN, &alice.token).header(header, value);
        let refused = server.ask(&request).expect(403);
        assert!(message(&refused).contains("another site"), "{}", refused.text());
        let basic = Request::post(PROJECTS).login("alice", PASSWORD).header(header, value);
        server.ask(&basic.body(json!({ "project_name": "elsewhere" }).to_string())).expect(403);
    }
    for name in ["bare", "forged", "elsewhere"] {
        assert_eq!(is_there(name), 404, "{name}");
    }
    let own = format!("http://{}", server.address());
    server.ask(&make("own").header(TOKEN, &alice.token).header("Origin", own)).expect(201);
    server.ask(&make("whole").header(TOKEN, &alice.token)).expect(201);
    assert_eq!((is_there("own"), is_there("whole")), (200, 200));
    // Reading needs no token, and the registry does not know of cookies.
    assert_eq!(alice.who(server), 200);
    server.ask(&alice.request("GET", "/v2/")).expect(401);
    server.ask(&alice.request("GET", "/c/log_out")).expect(200);
    assert_eq!(alice.who(server), 401);
    server.ask(&make("late").header(TOKEN, &alice.token)).expect(401);
}

#[test]
fn a_cookie_is_for_this_site_and_for_no_script() {
    let server = BerthServer::setup().set("server.trusted_proxies", "127.0.0.1/32").start();
    let cookie = |request: &Request| {
        let answer = server.ask(request).expect(200);
        let cookie = answer.header("Set-Cookie").expect("a cookie").to_lowercase();
        let attributes: Vec<_> = cookie.split("; ").skip(1).map(str::to_owned).collect();
        attributes
    };
    let plain = form(ADMIN, ADMIN_PASSWORD);
    assert_eq!(cookie(&plain), ["path=/", "httponly", "samesite=lax"]);
    let secure = plain.clone().header("X-Forwarded-Proto", "https");
    assert_eq!(cookie(&secure), ["path=/", "httponly", "samesite=lax", "secure"]);
    // Whom nobody trusts cannot say so.
    let open = BerthServer::start();
    let told = open.ask(&secure).expect(200);
    assert!(!told.header("Set-Cookie").expect("a cookie").to_lowercase().contains("secure"));
}
