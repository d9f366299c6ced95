//! The protocols that a TLS handshake offers.

use super::{Form, Value};

/// Protocols, best first; at least one, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alpn(Vec<Protocol>);

/// A protocol that runs inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// The protocol's registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

impl Alpn {
    /// The protocols, best first.
    #[must_use]
    pub fn protocols(&self) -> &[Protocol] {
        &self.0
    }
}

impl Value for Alpn {
    const FORM: Form =
        Form { list: true, ..Form::text("a list of protocols", "http/1.1, h2 or both, best first") };

    fn parse(text: &str) -> Option<Self> {
        let mut protocols = Vec::new();
        for name in text.split(',').map(str::trim) {
            let protocol =
                [Protocol::Http1, Protocol::Http2].into_iter().find(|known| known.as_str() == name)?;
            if protocols.contains(&protocol) {
                return None;
            }
            protocols.push(protocol);
        }
        Some(Self(protocols))
    }

    fn show(&self) -> String {
        self.0.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(", ")
    }
}
