//! Where clients reach Berth, how much they may use of it, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use crate::value::{ExternalUrl, Networks, Size};
use crate::{Finding, setting};

setting::table! {
    /// Where clients reach Berth, how much they may use of it, and how it ends.
    pub struct Server(server) {
        /// The address and port that clients use. Port 0 takes a free one.
        listen: SocketAddr = "127.0.0.1:5000",
        /// A second address for `/metrics`, `/healthz` and `/readyz`, which then no longer answer on the first. It is never encrypted.
        metrics_listen: Option<SocketAddr> = "",
        /// The URL at which clients reach Berth, if it is not the one that they ask for: tokens are fetched from there.
        external_url: Option<ExternalUrl> = "",
        /// The networks of proxies whose `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-For` are believed.
        trusted_proxies: Networks = "",
        /// How long Berth goes on accepting, already not ready, after it was told to end: the time that a load balancer needs to notice.
        drain: Duration = "0s",
        /// How long requests that are under way may take to finish after that.
        grace: Duration = "30s",
        /// How long a client may take to send the header of a request, and to finish a TLS handshake.
        header_timeout: Duration = "15s",
        /// How long a body may stand still in either direction. A slow body that moves may take days.
        body_timeout: Duration = "60s",
        /// How long a connection may stay open without a request.
        idle_timeout: Duration = "120s",
        /// The longest header of a request, with its first line.
        header_limit: Size = "16KiB",
        /// The longest path and query of a request.
        uri_limit: Size = "8KiB",
        /// How much of a body is read from a connection at once. More makes pushes faster and costs memory for each.
        read_buffer: Size = "256KiB",
        /// How many connections may be open. Who comes after that is told to come again later.
        max_connections: u32 = "16384",
        /// How many bodies of blobs may come in at the same time. Who comes after that is told to come again later.
        max_uploads: u32 = "512",
    }
}

impl Server {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        let mut refuse = |key, why: &str| findings.push(Finding::new("server", key, why));
        if self.metrics_listen == Some(self.listen) && self.listen.port() != 0 {
            refuse(
                "metrics_listen",
                "this is the address that clients use; name another port or remove the line",
            );
        }
        for (key, timeout) in [
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("idle_timeout", self.idle_timeout),
        ] {
            if timeout < Duration::from_secs(1) {
                refuse(key, "no client can keep a time this short; write 1s or more");
            }
        }
        if self.header_limit.bytes() < 4096 || self.header_limit.bytes() > 1 << 20 {
            refuse("header_limit", "clients need at least 4KiB, and none needs more than 1MiB; write 16KiB");
        }
        if !(1024..=16 << 10).contains(&self.uri_limit.bytes()) || self.uri_limit > self.header_limit {
            refuse(
                "uri_limit",
                "no path is longer than 16KiB, clients need 1KiB, and it is part of header_limit; write 8KiB",
            );
        }
        if self.read_buffer < self.header_limit || self.read_buffer.bytes() > 16 << 20 {
            refuse(
                "read_buffer",
                "it holds a header, so it is header_limit at least, and 16MiB at most; write 256KiB",
            );
        }
        for (key, count) in [("max_connections", self.max_connections), ("max_uploads", self.max_uploads)] {
            if count == 0 {
                refuse(key, "none at all would serve nobody; write 1 or more");
            }
        }
    }
}
