//! One setting as the tables know it, and the macro that makes a section's struct and table from one text.

use std::borrow::Cow;

use crate::value::Form;
use crate::{Config, nearest, section};

/// One setting: its names, its meaning, its default.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The section it stands in.
    pub section: &'static str,
    /// Its name within the section.
    pub key: &'static str,
    /// What it does, line by line.
    pub about: &'static [&'static str],
    /// Its default, as one would write it; empty if nothing is set.
    pub default: &'static str,
    /// How its value is written.
    pub form: Form,
    pub(crate) set: fn(&mut Config, &str) -> Option<()>,
    pub(crate) show: fn(&Config) -> String,
}

impl Setting {
    /// Every setting, section by section.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        section::ALL.iter().flat_map(|section| section.settings)
    }

    /// The setting of that name.
    #[must_use]
    pub fn find(section: &str, key: &str) -> Option<&'static Self> {
        Self::all().find(|setting| setting.section == section && setting.key == key)
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("BERTH_{}__{}", self.section.to_uppercase(), self.key.to_uppercase())
    }

    /// The shorter environment variable that also sets it.
    #[must_use]
    pub fn short_variable(&self) -> Option<&'static str> {
        match (self.section, self.key) {
            ("data", "directory") => Some("BERTH_DATA"),
            ("server", "listen") => Some("BERTH_LISTEN"),
            ("access", "admin_password") => Some("BERTH_ADMIN_PASSWORD"),
            _ => None,
        }
    }

    /// That `text` does not fit, and what would.
    pub(crate) fn misfit(&self, text: &str) -> String {
        let said: Cow<'_, str> = if self.form.secret { "this".into() } else { format!("{text:?}").into() };
        let Form { what, write, choices, .. } = self.form;
        match nearest::name(text, choices.iter().copied()) {
            Some(near) => format!("{said} is not {what}; write {near}"),
            None => format!("{said} is not {what}; write {write}"),
        }
    }
}

/// Makes a section's struct, its defaults and its table of settings. Every setting is its documentation, its field, its type
/// (a [`crate::value::Value`]) and its default as one would write it.
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident($section:ident) {
            $( $(#[doc = $doc:literal])+ $key:ident: $kind:ty = $default:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $key: $kind, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: <$kind as $crate::value::Value>::parse($default).expect("a default is a valid value"), )+ }
            }
        }

        pub(crate) const TABLE: $crate::section::Table = $crate::section::Table {
            name: stringify!($section),
            about: &[$($about),+],
            settings: &[$(
                $crate::Setting {
                    section: stringify!($section),
                    key: stringify!($key),
                    about: &[$($doc),+],
                    default: $default,
                    form: <$kind as $crate::value::Value>::FORM,
                    set: |config, text| {
                        config.$section.$key = $crate::value::Value::parse(text)?;
                        Some(())
                    },
                    show: |config| $crate::value::Value::show(&config.$section.$key),
                },
            )+],
        };
    };
}

pub(crate) use table;
