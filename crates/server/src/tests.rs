//! The server in this process, asked over real connections.

mod accepting;
mod api_version;
mod backup;
mod bodies;
mod client;
mod credentials;
mod drain;
mod early;
mod farewell;
mod first_administrator;
mod forged;
mod grid;
mod health;
mod installation;
mod limits;
mod lost_pages;
mod near;
mod observed;
mod protocols;
mod readers;
mod requests;
mod rotation;
mod settings;
mod tls;
mod transfers;
mod upkeep;
pub(crate) mod written;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::connection::Listening;
use crate::{FirstPassword, Server};
use berth_config::{Config, Secret};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that runs until it is told to end.
struct Running {
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    listening: Arc<Listening>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<bool>,
    first_password: Option<FirstPassword>,
    data: TempDir,
}

/// A configuration for a fresh directory and a free port.
fn config(data: &TempDir) -> Config {
    let mut config = Config::default();
    config.server.listen.set_port(0);
    config.data.directory = data.path().join("data");
    // The raw requests of these tests show it.
    config.access.admin_password = Secret::new("Admin-Passw0rd");
    config
}

/// Starts a server whose configuration was changed by `change`.
async fn start(change: impl FnOnce(&mut Config)) -> Running {
    let data = tempfile::tempdir().unwrap();
    let mut config = config(&data);
    change(&mut config);
    Running::of(Server::bind(&config).await.unwrap(), data)
}

impl Running {
    fn of(server: Server, data: TempDir) -> Self {
        let (address, metrics) = (server.address().unwrap(), server.metrics_address().unwrap());
        let listening = server.listening();
        let first_password = server.first_password().cloned();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(async move {
            let _ = stopped.await;
        }));
        Self { address, metrics, listening, stop, task, first_password, data }
    }

    /// Ends it; what it leaves.
    async fn stop(self) -> TempDir {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.data
    }

    /// Ends it; whether every request came to its end.
    async fn end(self) -> bool {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_told_who_has_it() {
    let first = start(|_| {}).await;
    let refused = Server::bind(&config(&first.data)).await.unwrap_err().to_string();
    assert!(refused.contains("is in use by another Berth (process "), "{refused}");
    assert!(refused.contains("--data"), "{refused}");
    assert!(first.end().await);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = start(|_| {}).await;
    let data = tempfile::tempdir().unwrap();
    let mut second = config(&data);
    second.server.listen = first.address;
    let refused = Server::bind(&second).await.unwrap_err().to_string();
    assert!(refused.contains(&first.address.to_string()) && refused.contains("--listen"), "{refused}");
    second.server.listen.set_port(0);
    second.server.metrics_listen = Some(first.address);
    let refused = Server::bind(&second).await.unwrap_err().to_string();
    assert!(refused.contains("another program") && refused.contains("server.metrics_listen"), "{refused}");
    // Set apart for documentation (RFC 5737): no machine has it.
    second.server.listen = "192.0.2.1:5000".parse().unwrap();
    second.server.metrics_listen = None;
    let refused = Server::bind(&second).await.unwrap_err().to_string();
    assert!(refused.contains("no such address") && !refused.contains("another program"), "{refused}");
    assert_eq!(second.embedded_database().map(|file| file.exists()), Some(false), "nothing was begun");
    assert!(first.end().await);
}
