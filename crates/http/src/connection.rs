//! What the accept loop knows of a connection.

use std::net::{IpAddr, SocketAddr};

use axum::http::{Extensions, Version};

/// Put into every request's extensions by the server's accept loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The other end.
    pub peer: SocketAddr,
    /// Whether the bytes are encrypted by this process.
    pub tls: bool,
}

impl ConnectionInfo {
    /// The address of the other end, if the request came over a connection. Headers that proxies add are not trusted.
    #[must_use]
    pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<Self>().map(|connection| connection.peer.ip().to_canonical())
    }

    /// Whether the bytes of an answer go to the kernel as they are: no TLS, no HTTP/2 frames around them.
    #[must_use]
    pub fn is_plain(&self, version: Version) -> bool {
        version <= Version::HTTP_11 && !self.tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_1_without_tls_is_plain() {
        let plain = |tls, version| ConnectionInfo { peer: ([127, 0, 0, 1], 1).into(), tls }.is_plain(version);
        assert!(plain(false, Version::HTTP_10));
        assert!(plain(false, Version::HTTP_11));
        assert!(!plain(true, Version::HTTP_11));
        assert!(!plain(false, Version::HTTP_2));
    }
}
