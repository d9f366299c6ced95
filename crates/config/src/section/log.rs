//! What is written to standard error while Berth runs.

use crate::setting;
use crate::value::{LogFormat, LogLevel};

setting::table! {
    /// What is written to standard error while Berth runs.
    pub struct Log(log) {
        /// The least important messages to write: `error`, `warn`, `info`, `debug` or `trace`. Lines of requests are apart from it: see `log.access`.
        level: LogLevel = "info",
        /// `text` for people, `json` for machines: one object a line.
        format: LogFormat = "text",
        /// Whether each request leaves a line.
        access: bool = "true",
    }
}
