//! A registry that somebody else started, given as `--peer name=http://host:port`.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;

use super::{Contestant, Running, Stage};
use crate::http::Endpoint;
use crate::machine::procfs;

/// A name and an address.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    name: String,
    address: SocketAddr,
}

impl FromStr for Remote {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, url) = text.split_once('=').context("write it as name=http://host:port")?;
        let authority =
            url.strip_prefix("http://").context("only http:// is spoken to peers")?.trim_end_matches('/');
        let with_port =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let address = with_port.to_socket_addrs()?.next().context("the host has no address")?;
        Ok(Self { name: name.to_owned(), address })
    }
}

impl Contestant for Remote {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn start(&self, _room: &Path, _stage: &Stage<'_>) -> anyhow::Result<Running> {
        let endpoint = Endpoint::new(self.address, None);
        endpoint.connect()?.exchange("GET", "/v2/", "", &[])?;
        let pid = self.address.ip().is_loopback().then(|| procfs::listener(self.address.port())).flatten();
        Ok(Running::theirs(&self.name, endpoint, pid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_name_and_a_plain_url() {
        let peer: Remote = "zot=http://127.0.0.1:5001/".parse().unwrap();
        assert_eq!((peer.name(), peer.address.port()), ("zot", 5001));
        assert!("http://127.0.0.1:5001".parse::<Remote>().is_err());
        assert!("zot=https://127.0.0.1:5001".parse::<Remote>().is_err());
    }
}
