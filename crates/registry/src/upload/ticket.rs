//! Tickets: a session that nothing durable knows of, carried by the client and signed, so that it cannot be made up.

use std::fmt;

use berth_domain::{Actor, Entropy, Timestamp};
use berth_oci::{Algorithm, RepositoryName};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use super::UploadTicket;
use crate::destination::Destination;

/// What a ticket says beside its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) issued_at: Timestamp,
    pub(crate) algorithm: Algorithm,
    /// What there was to go into. A push that found a project does not make another one in its place.
    pub(crate) destination: Destination,
}

/// Issues tickets and knows its own again. The signature also covers the id, the repository and the owner, so a ticket is good
/// for nothing else.
pub(crate) struct Signer {
    key: Bytes,
}

/// The form of the claims: a version, the moment, the algorithm with a mark if the project is to be made.
const VERSION: u8 = 1;
const CLAIMS_LEN: usize = 1 + 8 + 1;
const TO_BE_MADE: u8 = 1 << 7;

impl Signer {
    /// The length of a fresh key in bytes.
    pub(crate) const KEY_LEN: usize = 32;

    pub(crate) fn new(key: Bytes) -> Self {
        Self { key }
    }

    /// A ticket for a new session.
    pub(crate) fn issue(
        &self,
        entropy: &dyn Entropy,
        repository: &RepositoryName,
        owner: &Actor,
        claims: Claims,
    ) -> UploadTicket {
        let id = entropy.uuid();
        let mut state = claims.to_bytes().to_vec();
        let signature = self.signature(&state, id, repository, owner).finalize();
        state.extend_from_slice(&signature.into_bytes());
        UploadTicket { id, state: hex::encode(state) }
    }

    /// What the ticket says; `None` unless this installation issued it for that repository and owner.
    pub(crate) fn verify(
        &self,
        ticket: &UploadTicket,
        repository: &RepositoryName,
        owner: &Actor,
    ) -> Option<Claims> {
        let state = hex::decode(&ticket.state).ok()?;
        let (claims, signature) = state.split_at_checked(CLAIMS_LEN)?;
        self.signature(claims, ticket.id, repository, owner).verify_slice(signature).ok()?;
        Claims::from_bytes(claims)
    }

    fn signature(&self, claims: &[u8], id: Uuid, repository: &RepositoryName, owner: &Actor) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(claims);
        mac.update(id.as_bytes());
        mac.update(&owner.id.to_be_bytes());
        mac.update(owner.kind.as_str().as_bytes());
        mac.update(b"\0");
        mac.update(repository.as_str().as_bytes());
        mac
    }
}

impl Claims {
    fn to_bytes(self) -> [u8; CLAIMS_LEN] {
        let mut bytes = [VERSION; CLAIMS_LEN];
        bytes[1..9].copy_from_slice(&self.issued_at.as_micros().to_be_bytes());
        bytes[9] = match self.algorithm {
            Algorithm::Sha256 => 1,
            Algorithm::Sha512 => 2,
        };
        if self.destination == Destination::ToBeMade {
            bytes[9] |= TO_BE_MADE;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (issued_at, rest) = rest.split_first_chunk()?;
        let &[last] = rest else { return None };
        let destination = if last & TO_BE_MADE == 0 { Destination::There } else { Destination::ToBeMade };
        let algorithm = match last & !TO_BE_MADE {
            1 => Algorithm::Sha256,
            2 => Algorithm::Sha512,
            _ => return None,
        };
        let issued_at = Timestamp::from_micros(i64::from_be_bytes(*issued_at));
        (*version == VERSION).then_some(Self { issued_at, algorithm, destination })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use berth_domain::{ActorKind, SystemEntropy};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ticket_is_good_for_its_session_repository_and_owner_only() {
        let signer = Signer::new(Bytes::from_static(b"key"));
        let repository: RepositoryName = "library/a".parse().unwrap();
        let owner = Actor::anonymous();
        let issued_at = Timestamp::from_micros(1_700_000_000_000_001);
        for (algorithm, destination) in
            [(Algorithm::Sha256, Destination::There), (Algorithm::Sha512, Destination::ToBeMade)]
        {
            let claims = Claims { issued_at, algorithm, destination };
            let ticket = signer.issue(&SystemEntropy, &repository, &owner, claims);
            assert_eq!(signer.verify(&ticket, &repository, &owner), Some(claims));
        }
        let claims = Claims { issued_at, algorithm: Algorithm::Sha512, destination: Destination::There };
        let ticket = signer.issue(&SystemEntropy, &repository, &owner, claims);
        assert_eq!(signer.verify(&ticket, &repository, &owner), Some(claims));
        assert_eq!(signer.verify(&ticket, &"library/b".parse().unwrap(), &owner), None);
        let other = Actor { kind: ActorKind::User, id: 0, name: "anonymous".to_owned() };
        assert_eq!(signer.verify(&ticket, &repository, &other), None);
        let session = UploadTicket { id: Uuid::nil(), ..ticket.clone() };
        assert_eq!(signer.verify(&session, &repository, &owner), None);
        assert_eq!(Signer::new(Bytes::from_static(b"k")).verify(&ticket, &repository, &owner), None);
        for at in 0..ticket.state.len() {
            let mut forged = ticket.clone();
            let digit = if &ticket.state[at..=at] == "0" { "1" } else { "0" };
            forged.state.replace_range(at..=at, digit);
            assert_eq!(signer.verify(&forged, &repository, &owner), None, "digit {at}");
        }
        for state in ["", "00", "zz", "é"] {
            let forged = UploadTicket { state: state.to_owned(), ..ticket.clone() };
            assert_eq!(signer.verify(&forged, &repository, &owner), None);
        }
    }

    proptest! {
        #[test]
        fn what_was_issued_is_read_and_nothing_else(
            micros: i64,
            owner: i64,
            sha512: bool,
            made: bool,
            name in "[a-z]{1,8}(/[a-z0-9]{1,8}){1,3}",
            at: prop::sample::Index,
            other in 0_u8..128,
            garbage in "[0-9a-f]{0,100}|\\PC{0,40}",
        ) {
            let signer = Signer::new(Bytes::from_static(b"key"));
            let repository: RepositoryName = name.parse().unwrap();
            let owner = Actor { kind: ActorKind::User, id: owner, name };
            let claims = Claims {
                issued_at: Timestamp::from_micros(micros),
                algorithm: if sha512 { Algorithm::Sha512 } else { Algorithm::Sha256 },
                destination: if made { Destination::ToBeMade } else { Destination::There },
            };
            let ticket = signer.issue(&SystemEntropy, &repository, &owner, claims);
            prop_assert_eq!(signer.verify(&ticket, &repository, &owner), Some(claims));

            let mut bytes = ticket.state.clone().into_bytes();
            let at = at.index(bytes.len());
            // The case of a digit makes no other byte of it.
            bytes[at] = if bytes[at].eq_ignore_ascii_case(&other) { other ^ 1 } else { other };
            for state in [String::from_utf8(bytes).unwrap(), garbage] {
                let forged = UploadTicket { state, ..ticket.clone() };
                prop_assert_eq!(signer.verify(&forged, &repository, &owner), None, "{:?}", forged);
            }
        }
    }
}
