//! Where clients reach Berth, how much they may use of it, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use crate::value::{ExternalUrl, Networks, Size, Value};
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
        /// How long requests that are under way may take to finish after that; no shorter one fails because of the end. What is then cut off gets up to 2s more to make durable what has come, so whoever kills Berth waits for `drain`, `grace` and 2s. Kubernetes waits 30s in all unless `terminationGracePeriodSeconds` says otherwise.
        grace: Duration = "25s",
        /// How long a client may take to send the header of a request, and to finish a TLS handshake. Over HTTP/2 that is the preface; a header there that comes to no end holds up the answer to a ping, which is asked each `body_timeout` and waited for as long.
        header_timeout: Duration = "15s",
        /// How long a body may stand still in either direction. A slow blob that moves may take days: what leaves straight from its file over plain HTTP/1.1 for as long as any of it moves, else as long as each 256KiB leave within five times that. What is read whole before it is used (a manifest, a form, JSON) must be there in that time, however it moves.
        body_timeout: Duration = "60s",
        /// How long a connection may stay open without a request.
        idle_timeout: Duration = "120s",
        /// The longest header of a request, with its first line. A token gets three quarters of it, up to 64KiB: 16KiB is enough for a hundred short names of repositories in one.
        header_limit: Size = "16KiB",
        /// The longest path and query of a request.
        uri_limit: Size = "8KiB",
        /// How much of a body is read from a connection at once. More makes pushes faster and costs memory for each: that much over HTTP/1.1, and twice that, shared by its streams, over HTTP/2.
        read_buffer: Size = "256KiB",
        /// How many connections may be open. Who comes after that is told to come again later.
        max_connections: u32 = "16384",
        /// How many bodies of blobs and manifests may come in at the same time. Who comes after that is told to come again later.
        max_uploads: u32 = "512",
    }
}

impl Server {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        self.validate_sizes(findings);
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
        for (key, count) in [("max_connections", self.max_connections), ("max_uploads", self.max_uploads)] {
            if count == 0 {
                refuse(key, "none at all would serve nobody; write 1 or more");
            }
        }
    }

    /// The path is part of the header, and the header has to fit into what is read at once.
    fn validate_sizes(&self, findings: &mut Vec<Finding>) {
        let Self { header_limit: header, uri_limit: uri, read_buffer: read, .. } = self;
        let mut refuse = |key, why: &str| findings.push(Finding::new("server", key, why));
        if !(4096..=1 << 20).contains(&header.bytes()) {
            refuse("header_limit", "clients need at least 4KiB, and none needs more than 1MiB; write 16KiB");
        }
        if !(1024..=16 << 10).contains(&uri.bytes()) {
            refuse("uri_limit", "no path is longer than 16KiB, and clients need 1KiB; write 8KiB");
        }
        if read.bytes() > 16 << 20 {
            refuse("read_buffer", "more makes nothing faster; write 256KiB, 16MiB at most");
        }
        let [header_is, uri_is, read_is] = [header, uri, read].map(Value::show);
        if uri > header {
            let of_uri = format!(
                "it is part of the header, and server.header_limit is {header_is}; write that or less"
            );
            let of_header = format!(
                "the path is part of the header, and server.uri_limit is {uri_is}; write that or more"
            );
            findings.push(Finding::new("server", "uri_limit", of_uri).or(
                "server",
                "header_limit",
                of_header,
            ));
        }
        if read < header {
            let of_read =
                format!("it holds a header, and server.header_limit is {header_is}; write that or more");
            let of_header = format!(
                "server.read_buffer holds the header, and is {read_is}; write that or less, or raise it too"
            );
            findings.push(Finding::new("server", "read_buffer", of_read).or(
                "server",
                "header_limit",
                of_header,
            ));
        }
    }
}
