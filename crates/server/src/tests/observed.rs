//! What is written down of who asks, and what is counted.

use berth_config::Sources;

use crate::tests::client::{get, send, status};
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
