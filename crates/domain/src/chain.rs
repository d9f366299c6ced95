//! Errors in one line.

/// An error and all of its sources, for the log.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |source| source.source());
    sources.fold(error.to_string(), |said, source| format!("{said}: {source}"))
}
