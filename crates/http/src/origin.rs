//! How a client reached Berth: by which scheme and host, and from which address.
//!
//! **Invariant: a header decides nothing that its sender may not decide.** `X-Forwarded-*` counts only if the other end of the
//! connection is a proxy that the configuration trusts, and of `X-Forwarded-For` only what such proxies wrote. A configured external
//! address wins over everything that a request says of its host.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderName, Uri, Version};
use ipnet::IpNet;

use crate::ConnectionInfo;

static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whether the client's bytes are encrypted on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// They are not.
    Http,
    /// They are.
    Https,
}

/// What a request was sent to, and from where. Put into every request's extensions by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// By which scheme.
    pub scheme: Scheme,
    /// The host with its port, if that is not the scheme's own; empty if the request names none.
    pub host: String,
    /// The client's address, if it came over a network.
    pub address: Option<IpAddr>,
}

/// The address that clients use, from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// By which scheme.
    pub scheme: Scheme,
    /// The host with its port.
    pub host: String,
}

/// Finds out a request's origin.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    external: Option<External>,
    trusted: Vec<IpNet>,
    /// Whether it was said that a header does not count.
    warned: Arc<AtomicBool>,
}

impl Scheme {
    /// As it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
    }
}

impl Origin {
    /// The origin of a request; `None` if nobody put it there.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Self>()
    }

    /// `scheme://host`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.host)
    }
}

impl Origins {
    /// Clients reach Berth at `external`, if that is known, and through proxies in the networks `trusted`.
    #[must_use]
    pub fn new(external: Option<External>, trusted: Vec<IpNet>) -> Self {
        Self { external, trusted, warned: Arc::default() }
    }

    /// The origin of a request that came over `connection`.
    #[must_use]
    pub fn origin(&self, connection: &ConnectionInfo, uri: &Uri, headers: &HeaderMap) -> Origin {
        let peer = connection.peer.ip().to_canonical();
        let proxied = self.is_trusted(peer);
        if !proxied && self.is_first_ignored(headers) {
            tracing::warn!(
                %peer,
                "a request came with X-Forwarded-For from an address that is no trusted proxy, so the header does not count: if this is a proxy, everybody behind it counts as one address until server.trusted_proxies names it"
            );
        }
        let forwarded = |name| if proxied { last(headers, name) } else { None };
        let own = if connection.tls { Scheme::Https } else { Scheme::Http };
        let address = if proxied { self.client(headers).unwrap_or(peer) } else { peer };
        let (scheme, host) = match &self.external {
            Some(external) => (external.scheme, external.host.clone()),
            None => (
                forwarded(&FORWARDED_PROTO).and_then(Scheme::read).unwrap_or(own),
                forwarded(&FORWARDED_HOST).and_then(host).or_else(|| named(uri, headers)).unwrap_or_default(),
            ),
        };
        Origin { scheme, host, address: Some(address) }
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Whether the header that somebody wrote who may not is worth a word: the first one is.
    fn is_first_ignored(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(&FORWARDED_FOR)
            && !self.warned.load(Ordering::Relaxed)
            && !self.warned.swap(true, Ordering::Relaxed)
    }

    /// The last address before the trusted proxies: what stands further to the left was written by strangers.
    fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines = headers.get_all(&FORWARDED_FOR).iter().rev();
        let mut client = None;
        for entry in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
            let Some(address) = address(entry.trim()) else { break };
            client = Some(address);
            if !self.is_trusted(address) {
                break;
            }
        }
        client
    }
}

/// Whether a request names the host that it is for as RFC 9112 (3.2) wants it: one `Host` in HTTP/1.1, one at most in other versions,
/// and nothing in it but a host and a port.
#[must_use]
pub fn names_its_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    match (first, second) {
        (None, None) => version != Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(|text| {
            let authority = |text: &str| text.parse::<Authority>().is_ok_and(|it| !it.as_str().contains('@'));
            text.is_empty() || is_plain(text) || authority(text)
        }),
        _ => false,
    }
}

/// An address, some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let parsed = text.parse().ok().or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()));
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    parsed.or_else(bare).map(|address: IpAddr| address.to_canonical())
}

/// What the nearest proxy said.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// The host that the request itself names.
fn named(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = || host(headers.get(HOST)?.to_str().ok()?);
    uri.authority().map(ToString::to_string).and_then(|authority| host(&authority)).or_else(header)
}

/// A host with or without a port, and nothing else: it is written into URLs and headers.
fn host(text: &str) -> Option<String> {
    if is_plain(text) {
        return Some(text.to_owned());
    }
    let authority: Authority = text.parse().ok()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    (plain && !authority.host().is_empty()).then(|| text.to_owned())
}

/// Whether it is a name or an IPv4 address, with or without a port, as nearly every request has it: then there is nothing to parse.
fn is_plain(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let in_names = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_name = !name.is_empty() && name.bytes().all(in_names);
    is_name && (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
