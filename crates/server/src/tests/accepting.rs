//! Connections that cannot be accepted.

use std::sync::Arc;
use std::time::Duration;

use rustix::net::{Shutdown, shutdown};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{pause, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Server;
use crate::accept::{Accepting, accept};
use crate::tests::config;
use crate::tests::written::Written;

#[tokio::test]
async fn what_cannot_be_accepted_is_said_once_a_minute() {
    let (written, _logging) = Written::here();
    let data = tempfile::tempdir().unwrap();
    let server = Server::bind(&config(&data)).await.unwrap();
    let accepting = Accepting {
        listening: server.listening(),
        room: Arc::new(Semaphore::new(1)),
        connections: TaskTracker::new(),
        stop: CancellationToken::new(),
        abort: CancellationToken::new(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // From now on it fails each time and at once, as in a process that has no file left.
    shutdown(&listener, Shutdown::Both).unwrap();
    pause();
    let accepts = tokio::spawn(accept(listener, accepting.clone()));
    sleep(Duration::from_secs(150)).await;
    accepting.stop.cancel();
    accepts.await.unwrap();
    let text = written.text();
    let lines = text.lines().filter(|line| line.contains("connections could not be accepted"));
    let times = |line: &str| line.split("times=").nth(1).unwrap().parse().unwrap();
    let said: Vec<u64> = lines.map(times).collect();
    // The first, after one and two minutes, and at the end.
    assert_eq!((said.len(), said[0]), (4, 1), "{text}");
    let tried: u64 = said.iter().sum();
    assert!((2_900..3_100).contains(&tried), "it goes on trying, {tried} times");
}
