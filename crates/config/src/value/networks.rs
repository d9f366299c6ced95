//! Networks by their addresses.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Form, Value};

/// Networks in the order in which they were written; there may be none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[IpNet] {
        &self.0
    }
}

impl Value for Networks {
    const FORM: Form = Form {
        list: true,
        ..Form::text("a list of networks", "addresses or networks such as 10.0.0.0/8, 192.0.2.7")
    };

    fn parse(text: &str) -> Option<Self> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let network = |word: &str| word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
        words.map(network).collect::<Option<_>>().map(Self)
    }

    fn show(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}
