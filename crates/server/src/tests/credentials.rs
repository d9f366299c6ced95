//! Credentials and wishes beyond what anybody needs, over real connections.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tests::client::{get, send, status};
use crate::tests::start;

/// Sends a request that may be refused before all of it was taken; as much of the answer as comes.
async fn send_all(address: SocketAddr, text: String) -> String {
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let sending = tokio::spawn(async move {
        let _ = writing.write_all(text.as_bytes()).await;
        writing
    });
    let mut answer = Vec::new();
    // The server closes while bytes are still on their way, which may end in a reset.
    let _ = reading.read_to_end(&mut answer).await;
    drop(sending.await);
    String::from_utf8(answer).unwrap()
}

/// Asks for a token for these scopes, as the administrator.
async fn token_for(address: SocketAddr, scopes: &str) -> String {
    let form =
        format!("grant_type=password&service=harbor-registry&username=admin&password=Admin-Passw0rd{scopes}");
    let head = "POST /service/token HTTP/1.1\r\nhost: b\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    send_all(address, format!("{head}content-length: {}\r\n\r\n{form}", form.len())).await
}

#[tokio::test]
async fn a_megabyte_of_authorization_is_refused_with_words() {
    let server = start(|_| {}).await;
    for shown in [format!("Bearer {}", "a".repeat(1 << 20)), format!("Basic {}", "YWFh".repeat(1 << 18))] {
        for path in ["/v2/", "/service/token?service=harbor-registry", "/api/v2.0/users/current"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: b\r\nauthorization: {shown}\r\n\r\n");
            let answer = send_all(server.address, request).await;
            assert_eq!(status(&answer), 431, "{path}: {answer}");
            assert!(answer.contains("{\"errors\":[{\"code\":\""), "{path}: {answer}");
        }
    }
    assert_eq!(status(&get(server.address, "/v2/").await), 200, "nobody else is the worse for it");
    assert!(server.end().await);
}

#[tokio::test]
async fn ten_thousand_scopes_are_refused_with_words() {
    let server = start(|_| {}).await;
    let scopes = "&scope=a:b:c".repeat(10_000);
    let path = format!("/service/token?service=harbor-registry{scopes}");
    let in_path = send_all(server.address, format!("GET {path} HTTP/1.1\r\nhost: b\r\n\r\n")).await;
    assert_eq!(status(&in_path), 414, "{in_path}");
    let in_form = token_for(server.address, &scopes).await;
    assert_eq!(status(&in_form), 400, "{in_form}");
    assert!(in_form.contains("more than 100 scopes"), "{in_form}");
    let longer = token_for(server.address, &"&scope=repository:library/a:pull".repeat(10_000)).await;
    assert_eq!(status(&longer), 400, "{longer}");
    assert!(longer.contains("ask for fewer scopes"), "{longer}");
    assert!(server.end().await);
}

#[tokio::test]
async fn every_token_that_is_issued_can_be_shown() {
    for limit in [8 << 10, 16 << 10, 1 << 20] {
        let server = start(|config| {
            config.server.header_limit = berth_config::Size::new(limit);
            config.server.read_buffer = berth_config::Size::new(1 << 20);
        })
        .await;
        let mut scopes = String::new();
        let (mut shown, mut refused) = (0, None);
        for number in 0..100 {
            write!(scopes, "&scope=repository:library/{number:0>240}:pull,push").unwrap();
            let answer = token_for(server.address, &scopes).await;
            if status(&answer) != 200 {
                refused = Some(answer);
                break;
            }
            let token = answer.split('"').find(|text| text.starts_with("eyJ")).unwrap();
            let accept = "application/vnd.oci.image.index.v1+json, ".repeat(20);
            let path = format!("/v2/library/{number:0>240}/manifests/{}", "t".repeat(128));
            let pull = format!(
                "GET {path} HTTP/1.1\r\nhost: b\r\naccept: {accept}*/*\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
            );
            let pulled = send(server.address, &pull).await;
            assert_eq!(status(&pulled), 404, "with {number} others of {limit}: {pulled}");
            shown = token.len();
        }
        assert!(shown > usize::try_from(limit).unwrap().min(50 << 10) / 2, "{shown} of {limit}");
        if let Some(refused) = refused {
            assert_eq!(status(&refused), 400, "{refused}");
            assert!(refused.contains("ask for fewer repositories in one token"), "{refused}");
        } else {
            assert_eq!(limit, 1 << 20, "a hundred of the longest names fit");
        }
        assert!(server.end().await);
    }
}
