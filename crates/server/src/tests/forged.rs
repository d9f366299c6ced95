//! Headers that say where a request comes from and where it went to, from those who may not say it.

use berth_config::section::Server;
use berth_config::{Size, Sources, load};

use crate::tests::client::{header_of, send, status};
use crate::tests::start;

/// `GET /v2/` with these lines in its header.
async fn challenged(address: std::net::SocketAddr, lines: &str) -> String {
    let answer = send(address, &format!("GET /v2/ HTTP/1.1\r\n{lines}connection: close\r\n\r\n")).await;
    assert_eq!(status(&answer), 401, "{answer}");
    let challenge = header_of(&answer, "www-authenticate").expect("a challenge");
    let realm = challenge.strip_prefix("Bearer realm=\"").expect("a realm");
    realm.split('"').next().expect("its end").to_owned()
}

/// The settings of the server with one that is written so.
fn read(key: &str, value: &str) -> Server {
    let variables = [
        ("BERTH_DATA__DIRECTORY".to_owned(), "/nowhere".to_owned()),
        (format!("BERTH_SERVER__{key}"), value.to_owned()),
    ];
    let sources = Sources { environment: variables.into_iter().collect(), ..Sources::default() };
    load(&sources).unwrap().config.server
}

const FORGED: &str = "x-forwarded-host: evil.example\r\nx-forwarded-proto: https\r\nx-forwarded-for: 192.0.2.7\r\n\
                      forwarded: for=192.0.2.7;host=evil.example;proto=https\r\n";

#[tokio::test]
async fn the_realm_follows_nobody_who_may_not_say_it() {
    let server = start(|_| {}).await;
    let realm = async |lines: &str| challenged(server.address, lines).await;
    assert_eq!(realm("host: berth.example:8080\r\n").await, "http://berth.example:8080/service/token");
    let forged = format!("host: berth.example\r\n{FORGED}");
    assert_eq!(realm(&forged).await, "http://berth.example/service/token");
    assert_eq!(realm("host: \r\n").await, "/service/token", "there is none to tell");
    for odd in ["evil.example\",x=\"", "evil.example/path", "user@evil.example", "evil example"] {
        let request = format!("GET /v2/ HTTP/1.1\r\nhost: {odd}\r\nconnection: close\r\n\r\n");
        let answer = send(server.address, &request).await;
        assert_eq!(status(&answer), 400, "{odd:?} is no host");
        assert!(!answer.contains("evil"), "{answer}");
    }
    assert!(server.end().await);
}

#[tokio::test]
async fn a_configured_address_wins_and_a_trusted_proxy_is_believed() {
    let server = start(|config| {
        config.server.external_url = read("EXTERNAL_URL", "https://registry.example.org").external_url;
        config.server.trusted_proxies = read("TRUSTED_PROXIES", "127.0.0.1/32").trusted_proxies;
    })
    .await;
    let forged = format!("host: other.example\r\n{FORGED}");
    assert_eq!(challenged(server.address, &forged).await, "https://registry.example.org/service/token");
    assert!(server.end().await);

    let server = start(|config| {
        config.server.trusted_proxies = read("TRUSTED_PROXIES", "127.0.0.1/32").trusted_proxies;
    })
    .await;
    assert_eq!(challenged(server.address, &forged).await, "https://evil.example/service/token");
    assert!(server.end().await);
}

#[tokio::test]
async fn a_guesser_gets_no_other_address_by_saying_so() {
    let server = start(|config| {
        config.access.password_memory = Size::new(8 << 10);
        config.access.password_iterations = 1;
        config.access.login_delay = std::time::Duration::from_mins(1);
    })
    .await;
    let mut statuses = Vec::new();
    for guess in 0..5 {
        // nobody:guess
        let lines = format!(
            "host: b\r\nx-forwarded-for: 192.0.2.{guess}\r\nauthorization: Basic bm9ib2R5Omd1ZXNz\r\n"
        );
        let request = format!("GET /v2/ HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
        statuses.push(status(&send(server.address, &request).await));
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429]);
    assert!(server.end().await);
}
