//! Values that are one of a few words.

use super::{Form, Value};

/// Makes an enum whose variants are written as the given words.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident, $what:literal, $write:literal {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl $name {
            /// The word that is written for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl Value for $name {
            const FORM: Form = Form { choices: &[$($word),+], ..Form::text($what, $write) };

            fn parse(text: &str) -> Option<Self> {
                match text { $( $word => Some(Self::$variant), )+ _ => None }
            }

            fn show(&self) -> String {
                self.as_str().to_owned()
            }
        }
    };
}

choice! {
    /// Which content a manifest may name before it was pushed.
    pub enum MissingContent, "a rule for missing content", "none, children or any" {
        /// None.
        None = "none",
        /// The manifests of an index.
        Children = "children",
        /// Any content.
        Any = "any",
    }
}

choice! {
    /// Who may make projects.
    pub enum ProjectCreation, "a rule for making projects", "everyone or adminonly" {
        /// Everyone with an account.
        Everyone = "everyone",
        /// System administrators.
        AdminOnly = "adminonly",
    }
}

choice! {
    /// The least important messages that are written.
    pub enum LogLevel, "a log level", "error, warn, info, debug or trace" {
        /// What an operator must look at.
        Error = "error",
        /// What an operator should know.
        Warn = "warn",
        /// What happens.
        Info = "info",
        /// What happens inside.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choice! {
    /// For whom the log is written.
    pub enum LogFormat, "a log format", "text or json" {
        /// People.
        Text = "text",
        /// Machines.
        Json = "json",
    }
}
