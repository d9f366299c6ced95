//! People in browsers: cookies, their tokens, and those who would use them.

use serde_json::json;

use crate::house::{ADMIN, Answer, House, PASSWORD};

/// The value of a cookie that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<(String, String)> {
    let lines = answer.headers.get_all("set-cookie").iter();
    let mut lines = lines.map(|line| line.to_str().expect("text").to_owned());
    lines.find_map(|line| {
        let (pair, attributes) = line.split_once(';')?;
        let (found, value) = pair.split_once('=')?;
        (found == name).then(|| (value.to_owned(), attributes.to_owned()))
    })
}

async fn log_in(house: &House) -> (String, String) {
    let form = format!("principal=admin&password={}", PASSWORD.replace(' ', "+"));
    let answer = house.ask("POST /c/login").form(&form).await.expect(200);
    let (sid, attributes) = cookie(&answer, "sid").expect("a session");
    assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite"), "{attributes}");
    let token = answer.header("x-harbor-csrf-token").expect("the session's token").to_owned();
    (format!("sid={sid}"), token)
}

#[tokio::test]
async fn a_session_reads_with_its_cookie_and_changes_with_its_token() {
    let house = House::open().await;
    let (sid, token) = log_in(&house).await;
    let me = house.ask("GET /users/current").header("cookie", &sid).await.expect(200);
    assert_eq!(me.json["username"], "admin");
    assert_eq!(me.header("x-harbor-csrf-token"), Some(token.as_str()));
    let post = || house.ask("POST /projects").header("cookie", &sid).json(&json!({"project_name": "made"}));
    post().await.refused(403, "FORBIDDEN");
    post().header("x-harbor-csrf-token", "00").await.refused(403, "FORBIDDEN");
    post().header("x-harbor-csrf-token", &token).await.expect(201);
}

#[tokio::test]
async fn terraform_finds_the_token_in_the_refusal() {
    let house = House::open().await;
    let (sid, _) = log_in(&house).await;
    let post = || house.ask("POST /projects").header("cookie", &sid).json(&json!({"project_name": "made"}));
    let refused = post().await.refused(403, "FORBIDDEN");
    let token = refused.header("x-harbor-csrf-token").expect("a token").to_owned();
    let (value, attributes) = cookie(&refused, "_gorilla_csrf").expect("the cookie that it waits for");
    assert!(!attributes.is_empty(), "the provider reads up to a semicolon");
    let again =
        post().header("x-harbor-csrf-token", &token).header("cookie", &format!("_gorilla_csrf={value}"));
    again.await.expect(201);
}

#[tokio::test]
async fn a_session_that_was_prepared_for_somebody_is_not_theirs() {
    let house = House::open().await;
    let (prepared, _) = log_in(&house).await;
    let form = format!("principal=admin&password={}", PASSWORD.replace(' ', "+"));
    let answer = house.ask("POST /c/login").header("cookie", &prepared).form(&form).await.expect(200);
    let (sid, _) = cookie(&answer, "sid").expect("a new session");
    assert_ne!(format!("sid={sid}"), prepared);
    house.ask("GET /users/current").header("cookie", &prepared).await.refused(401, "UNAUTHORIZED");
    house.ask("GET /users/current").header("cookie", &format!("sid={sid}")).await.expect(200);
    let invented = format!("sid={}", "a".repeat(64));
    house.ask("GET /users/current").header("cookie", &invented).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_session_ends_on_the_server() {
    let house = House::open().await;
    let (sid, _) = log_in(&house).await;
    let gone = house.ask("GET /c/log_out").header("cookie", &sid).await.expect(200);
    assert_eq!(cookie(&gone, "sid").expect("taken back").0, "");
    house.ask("GET /users/current").header("cookie", &sid).await.refused(401, "UNAUTHORIZED");
    house.ask("GET /projects").header("cookie", &sid).await.expect(200);
    house.ask("GET /c/log_out").await.expect(200);
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let house = House::open().await;
    let form = format!("principal=admin&password={}", PASSWORD.replace(' ', "+"));
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
    ] {
        house.ask("POST /c/login").header(name, value).form(&form).await.refused(403, "FORBIDDEN");
        let post = house.ask("POST /projects").by(ADMIN).json(&json!({"project_name": "made"}));
        post.header(name, value).await.refused(403, "FORBIDDEN");
    }
    house.ask("POST /c/login").header("sec-fetch-site", "same-origin").form(&form).await.expect(200);
}

#[tokio::test]
async fn log_ins_that_do_not_happen() {
    let house = House::open().await;
    let post = |form: &str| house.ask("POST /c/login").form(form);
    post("principal=admin&password=wrong").await.refused(401, "UNAUTHORIZED");
    post("principal=nobody&password=wrong").await.refused(401, "UNAUTHORIZED");
    for form in ["", "principal=admin", "password=x", "principal=a%00b&password=x"] {
        post(form).await.refused(400, "BAD_REQUEST");
    }
    house
        .ask("POST /c/login")
        .json(&json!({"principal": "admin"}))
        .await
        .refused(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn an_address_does_for_a_name() {
    let house = House::open().await;
    house.user("jane").await;
    let form = format!("principal=jane%40example.org&password={}", PASSWORD.replace(' ', "+"));
    let answer = house.ask("POST /c/login").form(&form).await.expect(200);
    let (sid, _) = cookie(&answer, "sid").expect("a session");
    let me = house.ask("GET /users/current").header("cookie", &format!("sid={sid}")).await.expect(200);
    assert_eq!(me.json["username"], "jane");
    house.ask("GET /users/current").by(("jane@example.org", PASSWORD)).await.expect(200);
    house.ask("GET /users/current").by(("joe@example.org", PASSWORD)).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn cookies_that_were_set_over_tls_are_never_sent_in_the_clear() {
    let house = House::open().await;
    let form = format!("principal=admin&password={}", PASSWORD.replace(' ', "+"));
    let log_in = || house.ask("POST /c/login").form(&form);
    for (answer, secure) in [(log_in().encrypted().await, true), (log_in().await, false)] {
        let answer = answer.expect(200);
        for name in ["sid", "_gorilla_csrf"] {
            let (_, attributes) = cookie(&answer, name).expect(name);
            assert_eq!(attributes.contains("Secure"), secure, "{name}: {attributes}");
        }
    }
}
