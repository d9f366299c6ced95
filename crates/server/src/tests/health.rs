//! Health, metrics, and what they tell.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::tests::client::{get, header_of, number, send, status};
use crate::tests::drain::wait_for_an_upload;
use crate::tests::start;

#[tokio::test]
async fn health_and_metrics_are_beside_the_registry() {
    let server = start(|_| {}).await;
    assert_eq!(status(&get(server.address, "/healthz").await), 200);
    assert_eq!(status(&get(server.address, "/readyz").await), 200);
    assert_eq!(status(&get(server.address, "/v2/").await), 200);
    let nothing = get(server.address, "/elsewhere").await;
    assert_eq!(status(&nothing), 404);
    assert!(nothing.contains("\"errors\""), "{nothing}");
    let posted = send(server.address, "POST /metrics HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\n\r\n").await;
    assert_eq!((status(&posted), header_of(&posted, "allow")), (405, Some("GET, HEAD")));

    get(server.address, "/v2/secret-project/secret-repository/tags/list?n=5&token=secret").await;
    let metrics = get(server.address, "/metrics").await;
    let told = |line: &str| assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    told("berth_build_info{version=\"");
    told("berth_http_requests_total{route=\"base\",method=\"GET\",status=\"2xx\"} 1");
    told("berth_http_requests_total{route=\"readyz\",method=\"GET\",status=\"2xx\"} 1");
    told("berth_http_request_duration_seconds_count{route=\"base\"} 1");
    told("berth_connections ");
    told("berth_uploads 0");
    told("berth_upload_sessions 0");
    told("berth_buffers_in_use_bytes 0");
    told("berth_buffers_budget_bytes ");
    told("berth_cache_entries ");
    told("berth_cache_lookups_total{cache=\"hit\"} ");
    told("berth_cache_lookups_total{cache=\"miss\"} ");
    // As fine as the goals are.
    told("le=\"0.00025\"");
    told("le=\"0.002\"");
    told("berth_received_bytes_total ");
    told("berth_database_connections{state=\"in_use\"} ");
    told("berth_database_connections{state=\"idle\"} ");
    told("berth_database_waiting 0");
    told("\nprocess_cpu_seconds_total ");
    told("\nprocess_resident_memory_bytes ");
    told("\nprocess_open_fds ");
    told("\nprocess_max_fds ");
    told("\nprocess_start_time_seconds ");
    told("# EOF");
    for help in metrics.lines().filter(|line| line.starts_with("# HELP ")) {
        assert!(help.ends_with('.') && !help.ends_with(".."), "{help}");
    }
    assert!(!metrics.contains("secret"), "names of repositories are in no label:\n{metrics}");
    assert!(server.end().await);
}

#[tokio::test]
async fn bodies_of_blobs_are_counted_by_the_route_and_not_by_words_in_the_path() {
    let server = start(|_| {}).await;
    let half = async |line: &str| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let half = format!(
            "{line} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 8\r\n\r\nhalf"
        );
        stream.write_all(half.as_bytes()).await.unwrap();
        stream
    };
    let count = async |name: &str| number(&get(server.address, "/metrics").await, name);
    // A name may hold any word of the API.
    let manifest = half("PUT /v2/library/blobs/uploads/b/manifests/v1").await;
    while count("berth_buffers_in_use_bytes").await == 0 {}
    assert_eq!(count("berth_uploads").await, 0);
    let digest = berth_oci::Digest::sha256(b"half of it");
    let blob = half(&format!("POST /v2/library/hello/blobs/uploads?digest={digest}")).await;
    wait_for_an_upload(&server).await;
    assert_eq!(count("berth_uploads").await, 1);
    drop((manifest, blob));
    assert!(server.end().await);
}

#[tokio::test]
async fn health_can_have_an_address_of_its_own() {
    let server = start(|config| config.server.metrics_listen = Some("127.0.0.1:0".parse().unwrap())).await;
    let apart = server.metrics.unwrap();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(status(&get(apart, path).await), 200);
        assert_eq!(status(&get(server.address, path).await), 404);
    }
    assert_eq!(status(&get(apart, "/v2/").await), 404);
    assert_eq!(status(&get(server.address, "/v2/").await), 200);
    assert!(server.end().await);
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_given_one_stays() {
    let server = start(|_| {}).await;
    for path in ["/healthz", "/v2/", "/elsewhere", "/v2/UPPER/tags/list"] {
        assert!(header_of(&get(server.address, path).await, "x-request-id").is_some(), "{path}");
    }
    let request = "GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nx-request-id: from-a-proxy\r\nconnection: close\r\n\r\n";
    assert_eq!(header_of(&send(server.address, request).await, "x-request-id"), Some("from-a-proxy"));
    assert!(server.end().await);
}

#[tokio::test]
async fn what_is_gone_makes_the_server_unready_but_alive() {
    let server = start(|_| {}).await;
    assert_eq!(status(&get(server.address, "/readyz").await), 200);
    std::fs::remove_dir_all(server.data.path().join("data/blobs")).unwrap();
    // An answer is believed for a moment.
    let unready = loop {
        let answer = get(server.address, "/readyz").await;
        if status(&answer) != 200 {
            break answer;
        }
    };
    assert_eq!(status(&unready), 503);
    let storage = "registry: storage does not answer: is its volume mounted?";
    assert!(unready.ends_with(&format!("\r\n\r\nnot ready: {storage}\n")), "{unready}");
    assert_eq!(status(&get(server.address, "/healthz").await), 200);
    // Everything that is unwell is named, not what was asked first.
    let database = server.data.path().join("data/berth.db");
    std::fs::rename(&database, database.with_extension("away")).unwrap();
    let unready = loop {
        let answer = get(server.address, "/readyz").await;
        if answer.contains("database: ") {
            break answer;
        }
    };
    let both = format!("\r\n\r\nnot ready: database: the database does not answer; {storage}\n");
    assert!(unready.ends_with(&both), "{unready}");
    assert!(server.end().await);
}
