//! Who makes a request: the one place of this door that says so.

use axum::http::request::Parts;
use berth_access::authenticator::{Credentials, Purpose};
use berth_access::{Caller, Gate, Means};
use berth_http::authorization::Shown;
use berth_http::{ConnectionInfo, Origin, RequestId};

use crate::error::Error;

/// What is known of a request before its credentials are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// From where.
    pub(crate) address: Option<std::net::IpAddr>,
    /// In which request.
    pub(crate) request_id: String,
}

impl Sender {
    pub(crate) fn of(parts: &Parts) -> Self {
        let origin = Origin::of(&parts.extensions).map(|origin| origin.address);
        let address = origin.unwrap_or_else(|| ConnectionInfo::peer(&parts.extensions));
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
        Self { address, request_id: request_id.unwrap_or_default() }
    }
}

/// The caller of a request. Who shows nothing is anonymous; who shows something wrong is refused, also where anonymous callers
/// would pass.
pub(crate) async fn caller(gate: &Gate, parts: &Parts) -> Result<Caller, Error> {
    let Sender { address, request_id } = Sender::of(parts);
    let authenticator = gate.authenticator();
    match Shown::of(&parts.headers) {
        Shown::Nothing => Ok(Caller::anonymous(address, request_id)),
        Shown::Bearer(token) => Ok(authenticator.bearer(token, address, request_id).await?),
        Shown::Basic { login, secret } => {
            let purpose = Purpose::Registry;
            let (login, request_id) = (login.as_str(), request_id.as_str());
            let shown = Credentials { login, secret: &secret, purpose, address, request_id };
            Ok(authenticator.basic(&shown).await?)
        }
        Shown::Unusable(words) => Err(Error::Credentials(words)),
    }
}

/// Whether the caller's token was issued without a word about the repository, so that another one might speak of it.
pub(crate) fn never_asked(caller: &Caller, repository: &berth_oci::RepositoryName) -> bool {
    let Means::Bearer(token) = &caller.means else { return false };
    let speaks = |name: &str| name == repository.as_str();
    !token.access.iter().any(|granted| granted.kind == "repository" && speaks(&granted.name))
}
