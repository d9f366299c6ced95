//! The effective values as YAML, each with where it came from.

use std::fmt::Write;

use crate::section::ALL;
use crate::value::Takes;
use crate::{Loaded, Setting};

impl Loaded {
    /// All settings as a YAML document that could be used as a configuration file, were it not for the masked secrets. What is
    /// not set stands in a comment.
    #[must_use]
    pub fn show(&self) -> String {
        let mut text = String::new();
        for table in ALL {
            let _ = writeln!(text, "{}:", table.name);
            for setting in table.settings {
                let value = (setting.show)(&self.config);
                let line = if value.is_empty() {
                    format!("  # {}:", setting.key)
                } else {
                    format!("  {}: {}", setting.key, written(setting, &value))
                };
                let _ = writeln!(text, "{line:<48} # {}", self.origin(setting));
            }
        }
        text
    }
}

/// A value as YAML writes it.
fn written(setting: &Setting, value: &str) -> String {
    if setting.form.list {
        return format!("[{value}]");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    // Text that YAML would take for something else needs quotes.
    let alike = setting.form.takes == Takes::Text
        && setting.form.choices.is_empty()
        && !value.starts_with('/')
        && !value.contains(':');
    if value.chars().all(plain) && !value.ends_with(':') && !alike {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}
