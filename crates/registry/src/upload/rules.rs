//! The rules of a session: who may write to it now. Pure, so that a table can test them.

use std::time::Duration;

use berth_domain::Timestamp;
use berth_metadata::UploadSession;
use berth_oci::Digest;
use uuid::Uuid;

/// The phase of a session, as a request that wants to write finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nobody writes, or whoever did is known to have stopped: it goes on from the last checkpoint.
    Open,
    /// A writer of this process brought nothing for too long: it can be stopped, and then it is known to have stopped.
    Silent,
    /// A writer of another process brought nothing for too long but may still write: the content becomes suspect.
    Lost,
    /// Somebody is writing.
    Busy,
    /// It is finished, with this digest.
    Finished(Digest),
    /// Cancelled or expired.
    Gone,
}

/// What the rules know beside the session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// The time.
    pub(crate) now: Timestamp,
    /// This process.
    pub(crate) process: Uuid,
    /// Whether there is no other process.
    pub(crate) alone: bool,
    /// How long a writer may bring nothing.
    pub(crate) takeover_after: Duration,
    /// When a live writer of this process last brought bytes to this session.
    pub(crate) ours: Option<Timestamp>,
    /// When a session that has no row expires.
    pub(crate) ticket_expires_at: Timestamp,
}

/// Says in which phase a session is; `None` is one without a row.
pub(crate) fn phase(session: Option<&UploadSession>, scene: &Scene) -> Phase {
    let silent = |progressed_at: Timestamp| scene.now.since(progressed_at) >= scene.takeover_after;
    if let Some(session) = session {
        if let Some(digest) = session.finished {
            return Phase::Finished(digest);
        }
        if session.cancelled {
            return Phase::Gone;
        }
    }
    // What this process knows of its own writers is fresher than any row.
    if let Some(progressed_at) = scene.ours {
        return if silent(progressed_at) { Phase::Silent } else { Phase::Busy };
    }
    let expires_at = session.map_or(scene.ticket_expires_at, |session| session.expires_at);
    if expires_at <= scene.now {
        return Phase::Gone;
    }
    match session.and_then(|session| session.writer) {
        None => Phase::Open,
        Some(writer) if scene.alone || writer.process == scene.process => Phase::Open,
        Some(writer) if silent(writer.progressed_at) => Phase::Lost,
        Some(_) => Phase::Busy,
    }
}

/// How many bytes a session has.
pub(crate) fn offset(session: Option<&UploadSession>) -> u64 {
    session.map_or(0, |session| session.durable + session.tail.len() as u64)
}

#[cfg(test)]
mod tests {
    use berth_domain::{Actor, Location, RepositoryId};
    use berth_metadata::Writer;
    use berth_oci::Algorithm;
    use bytes::Bytes;

    use super::*;

    const US: Uuid = Uuid::from_u128(1);
    const THEM: Uuid = Uuid::from_u128(2);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn session(writer: Option<(Uuid, i64)>) -> UploadSession {
        UploadSession {
            id: Uuid::nil(),
            repository: RepositoryId(1),
            owner: Actor::anonymous(),
            algorithm: Algorithm::Sha256,
            location: Location::new("x"),
            durable: 0,
            tail: Bytes::new(),
            storage_state: vec![],
            hash_state: vec![],
            writer: writer.map(|(process, moved)| Writer { process, progressed_at: at(moved) }),
            epoch: 1,
            suspect: false,
            finished: None,
            cancelled: false,
            started_at: at(0),
            expires_at: at(1000),
        }
    }

    #[test]
    fn a_session_is_in_the_phase_that_the_table_says() {
        let scene = Scene {
            now: at(100),
            process: US,
            alone: false,
            takeover_after: Duration::from_secs(30),
            ours: None,
            ticket_expires_at: at(1000),
        };
        let alone = Scene { alone: true, ..scene };
        let (fresh, silent) = (session(Some((THEM, 71))), session(Some((THEM, 70))));
        let digest = Digest::sha256(b"");
        let finished = UploadSession { finished: Some(digest), ..fresh.clone() };
        let cancelled = UploadSession { cancelled: true, ..session(None) };
        let expired = UploadSession { expires_at: at(100), ..session(None) };
        let ours = session(Some((US, 99)));
        for (name, session, scene, expected) in [
            ("a fresh ticket", None, scene, Phase::Open),
            ("an old ticket", None, Scene { ticket_expires_at: at(100), ..scene }, Phase::Gone),
            ("nobody writes", Some(&session(None)), scene, Phase::Open),
            ("another process moves", Some(&fresh), scene, Phase::Busy),
            ("another process is silent", Some(&silent), scene, Phase::Lost),
            ("the other process is dead", Some(&fresh), alone, Phase::Open),
            ("our task is gone", Some(&ours), scene, Phase::Open),
            ("our task moves", Some(&ours), Scene { ours: Some(at(71)), ..scene }, Phase::Busy),
            ("our task is silent", Some(&ours), Scene { ours: Some(at(70)), ..scene }, Phase::Silent),
            ("our task before the row", None, Scene { ours: Some(at(99)), ..alone }, Phase::Busy),
            ("expired", Some(&expired), scene, Phase::Gone),
            ("expired but moving", Some(&expired), Scene { ours: Some(at(99)), ..scene }, Phase::Busy),
            ("cancelled", Some(&cancelled), scene, Phase::Gone),
            ("finished", Some(&finished), scene, Phase::Finished(digest)),
        ] {
            assert_eq!(phase(session, &scene), expected, "{name}");
        }
    }
}
