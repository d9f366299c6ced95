//! What is under `/service/`: tokens, and the public halves of the keys that they are signed with.

/// What a path there names. Which methods it takes is another matter ([`ServiceRoute::allow`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceRoute {
    /// `/service/token`.
    Token,
    /// `/service/jwks`.
    Keys,
}

impl ServiceRoute {
    /// Where tokens are had.
    pub(crate) const TOKEN_PATH: &str = "/service/token";

    /// Reads the path of a request.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        match path {
            Self::TOKEN_PATH => Some(Self::Token),
            "/service/jwks" => Some(Self::Keys),
            _ => None,
        }
    }

    /// The route's name in the access log and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Keys => "keys",
        }
    }

    /// The methods that the route takes, as `Allow` lists them.
    #[must_use]
    pub const fn allow(self) -> &'static str {
        match self {
            Self::Token => "GET, HEAD, POST",
            Self::Keys => "GET, HEAD",
        }
    }
}
