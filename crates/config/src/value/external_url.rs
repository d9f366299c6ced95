//! The address that clients use, as they see it.

use super::{Form, Value};

/// `http://` or `https://` with a host and perhaps a port, and nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalUrl {
    https: bool,
    host: String,
}

impl ExternalUrl {
    /// Whether it begins with `https://`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The host with its port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Value for ExternalUrl {
    const FORM: Form =
        Form::text("an external URL", "one such as https://registry.example.org, without a path");

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
        let named = !host.is_empty() && !host.starts_with(':');
        (plain && named).then(|| Self { https, host: host.to_owned() })
    }

    fn show(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.host)
    }
}
