//! What is written down of who asks, and what is counted.

use berth_config::Sources;
use berth_oci::Digest;

use crate::tests::client::{get, header_of, send, status};
use crate::tests::start;
use crate::tests::written::Written;

/// Asks for a path with these lines in the header, which show who it is.
async fn ask(address: std::net::SocketAddr, line: &str, lines: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: b\r\n{lines}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    send(address, &request).await
}

/// admin:Admin-Passw0rd
const ADMIN: &str = "authorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n";
/// admin:typed-by-mistake
const WRONG: &str = "authorization: Basic YWRtaW46dHlwZWQtYnktbWlzdGFrZQ==\r\n";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const TOKEN: &str = "GET /service/token?service=harbor-registry&scope=repository:library/a:pull";

fn token_of(answer: &str) -> String {
    let token = answer.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    format!("authorization: Bearer {}\r\n", token.expect(answer))
}

#[tokio::test]
async fn the_access_log_says_who_asked_and_nothing_that_is_secret() {
    let (written, _logging) = Written::here();
    let server = start(|config| config.log.access = true).await;
    let address = server.address;
    let bearer = token_of(&ask(address, TOKEN, ADMIN, "").await);
    let nobodys = token_of(&ask(address, TOKEN, "", "").await);
    let login = "principal=admin&password=Admin-Passw0rd";
    for (line, lines, body) in [
        ("GET /v2/?by=basic", ADMIN, ""),
        ("GET /v2/library/a/tags/list?by=bearer", &bearer, ""),
        ("GET /v2/library/a/tags/list?by=anonymous-token", &nobodys, ""),
        ("GET /v2/?by=nobody", "", ""),
        ("GET /v2/?by=wrong", WRONG, ""),
        ("GET /api/v2.0/users/current", ADMIN, ""),
        ("GET /api/v2.0/systeminfo", "", ""),
        ("POST /c/login", FORM, login),
    ] {
        ask(address, line, lines, body).await;
    }
    assert!(server.end().await);
    let log = written.text();
    let asked: Vec<_> = log.lines().filter(|line| line.contains("access: ")).collect();
    let said = |line: &str| match (
        line.contains("kind=\"user\" name=\"admin\""),
        line.contains("kind=\"anonymous\""),
    ) {
        (true, false) => "admin",
        (false, true) if !line.contains("name=") => "anonymous",
        _ => panic!("{line}"),
    };
    let asked: Vec<_> = asked.into_iter().map(said).collect();
    let (admin, nobody) = ("admin", "anonymous");
    assert_eq!(asked, [admin, nobody, admin, admin, nobody, nobody, nobody, admin, nobody, admin], "{log}");
    for secret in ["Admin-Passw0rd", "typed-by-mistake", "dHlwZWQ", "eyJ"] {
        assert!(!log.contains(secret), "{secret} in\n{log}");
    }
}

/// The line about the request that was answered so; there is only one.
fn line_about<'a>(log: &'a str, answer: &str) -> &'a str {
    let id = format!("request_id=\"{}\"", header_of(answer, "x-request-id").expect("an id"));
    let mut lines = log.lines().filter(|line| line.contains("access: ") && line.contains(&id));
    match (lines.next(), lines.next()) {
        (Some(line), None) => line,
        _ => panic!("{id} in\n{log}"),
    }
}

#[tokio::test]
async fn the_access_log_says_what_came_and_what_left_and_nothing_of_the_query() {
    let (written, _logging) = Written::here();
    let server = start(|config| config.log.access = true).await;
    let address = server.address;
    // So much that it leaves from its file.
    let content = "b".repeat(300_000);
    let blob = format!("/v2/library/a/blobs/{}", Digest::sha256(content.as_bytes()));
    let digest = blob.rsplit('/').next().unwrap();
    let (uploads, manifest) = ("/v2/library/a/blobs/uploads/", "/v2/library/a/manifests/none");
    let asked = async |line: &str, body: &str| ask(address, line, ADMIN, body).await;
    let pushed = asked(&format!("POST {uploads}?digest={digest}&_state=hidden-one"), &content).await;
    let pulled = asked(&format!("GET {blob}?_state=hidden-two"), "").await;
    let begun = asked(&format!("POST {uploads}"), "").await;
    let location = header_of(&begun, "location").unwrap();
    let (upload, state) = location.split_once("?_state=").unwrap();
    let appended = asked(&format!("PATCH {location}"), "0123456789").await;
    let refused = asked(&format!("GET {manifest}?password=hidden-three"), "").await;
    assert!(server.end().await);
    let log = written.text();
    for (answer, method, path, route, status, received) in [
        (&pushed, "POST", uploads, "uploads", 201, content.len()),
        (&pulled, "GET", blob.as_str(), "blob", 200, 0),
        (&begun, "POST", uploads, "uploads", 202, 0),
        (&appended, "PATCH", upload, "upload", 202, 10),
        (&refused, "GET", manifest, "manifest", 404, 0),
    ] {
        let line = line_about(&log, answer);
        let sent = answer.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
        for field in [
            format!("method={method}"),
            format!("path=\"{path}\""),
            format!("route=\"{route}\""),
            format!("status={status}"),
            format!("received={received}"),
            format!("sent={sent}"),
        ] {
            assert!(line.split(' ').any(|said| said == field), "{field} is not in {line}");
        }
    }
    assert!(pulled.ends_with(&content));
    for hidden in ["hidden-one", "hidden-two", "hidden-three", state, "_state", "password="] {
        assert!(!log.contains(hidden), "{hidden} in\n{log}");
    }
}

#[tokio::test]
async fn the_access_log_names_who_is_behind_a_proxy_that_is_believed() {
    let (written, _logging) = Written::here();
    let trusting = ("BERTH_SERVER__TRUSTED_PROXIES".to_owned(), "127.0.0.0/8".to_owned());
    let environment = vec![trusting, ("HOME".to_owned(), "/does/not/exist".to_owned())];
    let loaded = berth_config::load(&Sources { environment, ..Sources::default() }).unwrap();
    let server =
        start(|config| config.server.trusted_proxies = loaded.config.server.trusted_proxies.clone()).await;
    ask(server.address, "GET /v2/?by=proxy", "x-forwarded-for: 192.0.2.9\r\n", "").await;
    ask(server.address, "GET /v2/?by=itself", "", "").await;
    assert!(server.end().await);
    let log = written.text();
    let asked: Vec<_> = log.lines().filter(|line| line.contains("access: ")).collect();
    assert!(asked[0].contains("peer=127.0.0.1:") && asked[0].contains("client=192.0.2.9 "), "{}", asked[0]);
    assert!(!asked[1].contains("client="), "{}", asked[1]);
}

#[tokio::test]
async fn log_ins_tokens_and_their_checks_are_counted() {
    let server = start(|config| config.access.login_delay = std::time::Duration::from_mins(1)).await;
    let address = server.address;
    let bearer = token_of(&ask(address, TOKEN, ADMIN, "").await);
    token_of(&ask(address, TOKEN, "", "").await);
    for _ in 0..3 {
        assert_eq!(status(&ask(address, "GET /v2/", &bearer, "").await), 200);
    }
    for expected in [401, 401, 401, 401, 429, 429] {
        assert_eq!(status(&ask(address, "GET /v2/", WRONG, "").await), expected);
    }
    let metrics = get(address, "/metrics").await;
    for line in [
        "berth_log_ins_total{outcome=\"ok\"} 1",
        "berth_log_ins_total{outcome=\"refused\"} 4",
        "berth_log_ins_total{outcome=\"delayed\"} 2",
        // Those that were refused looked nobody up. Beside them the first administrator's password was hashed once.
        "berth_log_in_lookups_total 5",
        "berth_password_hashes_total 10",
        "berth_tokens_issued_total{kind=\"user\"} 1",
        "berth_tokens_issued_total{kind=\"robot\"} 0",
        "berth_tokens_issued_total{kind=\"anonymous\"} 1",
        "berth_token_checks_total{cache=\"hit\"} 2",
        "berth_token_checks_total{cache=\"miss\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("admin"), "no account is in any label:\n{metrics}");
    assert!(server.end().await);
}
