//! A project's settings by key, with Harbor's keys. All values are text, as in Harbor's API.

/// Declares the keys with the rule for the values of each.
macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $rule:ident,)*) => {
        /// A key of a project's metadata.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProjectMetadataKey {
            $($(#[$doc])* $name,)*
        }

        impl ProjectMetadataKey {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The key in Harbor's API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            const fn rule(self) -> Rule {
                match self {
                    $(Self::$name => Rule::$rule,)*
                }
            }
        }
    };
}

/// What values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Yes or no.
    Flag,
    /// A severity of vulnerabilities.
    Severity,
    /// A number of kilobits.
    Speed,
    /// A number of connections, or -1.
    Connections,
    /// A pattern of names.
    Pattern,
    /// How the pattern is read.
    PatternKind,
    /// A number that only the server sets.
    ServerSet,
}

keys! {
    /// Whether everyone may pull.
    Public = "public": Flag,
    /// Whether only images with a notation signature can be pulled.
    EnableContentTrust = "enable_content_trust": Flag,
    /// Whether only images with a cosign signature can be pulled.
    EnableContentTrustCosign = "enable_content_trust_cosign": Flag,
    /// Whether vulnerable images cannot be pulled.
    PreventVul = "prevent_vul": Flag,
    /// From which severity on.
    Severity = "severity": Severity,
    /// Whether what is pushed is scanned.
    AutoScan = "auto_scan": Flag,
    /// Whether what is pushed gets a software bill of materials.
    AutoSbomGeneration = "auto_sbom_generation": Flag,
    /// Whether the installation's list of tolerated vulnerabilities counts instead of the project's.
    ReuseSysCveAllowlist = "reuse_sys_cve_allowlist": Flag,
    /// The number of the project's retention policy.
    RetentionId = "retention_id": ServerSet,
    /// How fast a proxy project pulls, in kilobits a second.
    ProxySpeedKb = "proxy_speed_kb": Speed,
    /// How many connections a proxy project opens.
    MaxUpstreamConn = "max_upstream_conn": Connections,
    /// Which repositories a proxy project passes through.
    ProxyCacheFilterPattern = "proxy_cache_filter_pattern": Pattern,
    /// How that pattern is read.
    ProxyCacheFilterKind = "proxy_cache_filter_kind": PatternKind,
    /// Whether a proxy project asks upstream for referrers.
    ProxyReferrerApi = "proxy_referrer_api": Flag,
    /// Whether a proxy project keeps serving what is gone upstream.
    ProxyCacheLocalOnNotFound = "proxy_cache_local_on_not_found": Flag,
}

/// Why a setting is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectMetadataError {
    /// No such key.
    #[error("invalid key: {0}")]
    Key(String),
    /// No such value.
    #[error("invalid value for {key}: {value:?}; expected {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was given, cut short.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// Only the server sets it.
    #[error("{0} is set by the server")]
    ServerSet(&'static str),
}

impl ProjectMetadataKey {
    /// Reads a key.
    pub fn parse(key: &str) -> Result<Self, ProjectMetadataError> {
        let known = Self::ALL.iter().copied().find(|known| known.as_str() == key);
        known.ok_or_else(|| ProjectMetadataError::Key(cut(key)))
    }

    /// The value as it is kept, or why it cannot be: flags become `true` or `false`, severities lowercase, numbers plain.
    pub fn normalise(self, value: &str) -> Result<String, ProjectMetadataError> {
        let refused =
            |expected| ProjectMetadataError::Value { key: self.as_str(), value: cut(value), expected };
        match self.rule() {
            Rule::Flag => flag(value).ok_or_else(|| refused("true or false")),
            Rule::Severity => {
                let lower = value.to_ascii_lowercase();
                let known = ["none", "low", "medium", "high", "critical"].contains(&lower.as_str());
                if known { Ok(lower) } else { Err(refused("none, low, medium, high or critical")) }
            }
            Rule::Speed => {
                value.parse::<i32>().map(|speed| speed.to_string()).map_err(|_| refused("a 32-bit number"))
            }
            Rule::Connections => match value.parse::<i32>() {
                Ok(count) if count > 0 || count == -1 => Ok(count.to_string()),
                _ => Err(refused("a positive 32-bit number, or -1")),
            },
            Rule::Pattern => {
                let fits = value.len() <= 1024 && !value.contains(char::is_control);
                if fits { Ok(value.to_owned()) } else { Err(refused("at most 1024 printable characters")) }
            }
            Rule::PatternKind => {
                let known = ["", "doublestar", "regex"].contains(&value);
                if known { Ok(value.to_owned()) } else { Err(refused("doublestar or regex")) }
            }
            Rule::ServerSet => Err(ProjectMetadataError::ServerSet(self.as_str())),
        }
    }
}

/// Reads a flag in the forms that Harbor reads.
fn flag(value: &str) -> Option<String> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some("true".to_owned()),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some("false".to_owned()),
        _ => None,
    }
}

/// As much of a strange text as an answer can bear.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_in_one_form() {
        use ProjectMetadataKey as Key;
        for (key, given, kept) in [
            (Key::Public, "True", "true"),
            (Key::AutoScan, "0", "false"),
            (Key::Severity, "High", "high"),
            (Key::ProxySpeedKb, "+100", "100"),
            (Key::MaxUpstreamConn, "-1", "-1"),
            (Key::ProxyCacheFilterKind, "regex", "regex"),
            (Key::ProxyCacheFilterPattern, "library/**", "library/**"),
        ] {
            assert_eq!(key.normalise(given).as_deref(), Ok(kept), "{}", key.as_str());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_words() {
        use ProjectMetadataKey as Key;
        for (key, given) in [
            (Key::Public, "yes"),
            (Key::Severity, "urgent"),
            (Key::ProxySpeedKb, "fast"),
            (Key::MaxUpstreamConn, "0"),
            (Key::MaxUpstreamConn, "99999999999"),
            (Key::ProxyCacheFilterKind, "glob"),
            (Key::ProxyCacheFilterPattern, "a\nb"),
        ] {
            let refused = key.normalise(given);
            assert!(matches!(refused, Err(ProjectMetadataError::Value { .. })), "{} {given}", key.as_str());
        }
        assert_eq!(Key::RetentionId.normalise("1"), Err(ProjectMetadataError::ServerSet("retention_id")));
        assert_eq!(Key::parse("publik"), Err(ProjectMetadataError::Key("publik".to_owned())));
        for &key in Key::ALL {
            assert_eq!(Key::parse(key.as_str()), Ok(key));
        }
    }
}
