//! Where a server listens and how it is spoken to.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::Connection;
use super::wire::{Gulping, Wire};

/// A load that hangs this long is a failure, not a measurement.
const PATIENCE: Duration = Duration::from_mins(2);

/// An address, and for TLS the certificate to trust.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    trust: Option<Arc<ClientConfig>>,
    login: Option<&'static str>,
}

impl Endpoint {
    /// Spoken to with `trust` over TLS, without it plainly.
    pub(crate) fn new(address: SocketAddr, trust: Option<Arc<ClientConfig>>) -> Self {
        Self { address, trust, login: None }
    }

    /// The same, for those who push to it show `login`, a whole header line.
    pub(crate) fn with_login(self, login: &'static str) -> Self {
        Self { login: Some(login), ..self }
    }

    /// The address itself.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection of somebody who shows who he is, where that is asked for.
    pub(crate) fn log_in(&self) -> anyhow::Result<Connection> {
        Ok(self.connect()?.showing(self.login.unwrap_or_default()))
    }

    /// A new connection of a stranger.
    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        let socket =
            TcpStream::connect(self.address).with_context(|| format!("connecting to {}", self.address))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let wire = match &self.trust {
            None => Wire::Plain(socket),
            Some(trust) => {
                let name = ServerName::from(self.address.ip());
                let session = ClientConnection::new(Arc::clone(trust), name)?;
                Wire::Tls(Box::new(StreamOwned::new(session, Gulping::new(socket))))
            }
        };
        Ok(Connection::new(wire, self.address))
    }
}
