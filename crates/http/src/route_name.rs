//! The name of a route, for the access log and metrics.

/// Put into every answer's extensions by the door that gave it. Static, so that no name of a repository can become a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteName(pub &'static str);
