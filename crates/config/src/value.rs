//! How values are written and read.

mod alpn;
mod choice;
mod duration;
mod external_url;
mod networks;
mod secret;
mod size;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use alpn::{Alpn, Protocol};
pub use choice::{LogFormat, LogLevel, MissingContent, ProjectCreation};
pub use external_url::ExternalUrl;
pub use networks::Networks;
pub use secret::Secret;
pub use size::Size;

/// How a kind of value is written.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What it is, with its article: "a duration".
    pub what: &'static str,
    /// What to write, for whoever wrote something else.
    pub write: &'static str,
    /// What YAML must take it for.
    pub(crate) takes: Takes,
    /// The only possible texts, if they are few.
    pub(crate) choices: &'static [&'static str],
    /// Whether it may be written as a YAML list.
    pub(crate) list: bool,
    /// Whether it is never shown.
    pub(crate) secret: bool,
}

/// What YAML must take a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Text.
    Text,
    /// A number.
    Number,
    /// Text or a number.
    Either,
    /// `true` or `false`.
    Flag,
}

impl Form {
    pub(crate) const fn text(what: &'static str, write: &'static str) -> Self {
        Self { what, write, takes: Takes::Text, choices: &[], list: false, secret: false }
    }
}

/// A kind of value.
pub(crate) trait Value: Sized {
    /// How it is written.
    const FORM: Form;

    /// Reads it; `None` if the text does not fit.
    fn parse(text: &str) -> Option<Self>;

    /// Writes it so that [`Value::parse`] gives it back; a secret only says whether there is one.
    fn show(&self) -> String;
}

impl<T: Value> Value for Option<T> {
    const FORM: Form = T::FORM;

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map(Value::show).unwrap_or_default()
    }
}

impl Value for SocketAddr {
    const FORM: Form =
        Form::text("an address and port", "one such as 127.0.0.1:5000, 0.0.0.0:5000 or [::]:5000");

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for PathBuf {
    const FORM: Form = Form::text("a path", "one such as /var/lib/berth");

    fn parse(text: &str) -> Option<Self> {
        (!text.contains('\0')).then(|| text.into())
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for String {
    const FORM: Form = Form::text("a text", "it in quotes");

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for bool {
    const FORM: Form = Form {
        takes: Takes::Flag,
        choices: &["true", "false"],
        ..Form::text("true or false", "true or false")
    };

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const FORM: Form = Form { takes: Takes::Number, ..Form::text("a whole number", "digits, such as 100") };

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
