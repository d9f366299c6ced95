//! Upload sessions.

use async_trait::async_trait;
use berth_domain::{Location, Repository, RepositoryId, Timestamp};
use berth_metadata::{Result, UploadReads, UploadSession, UploadWrites, Writer};
use berth_oci::RepositoryName;
use sqlx::FromRow;
use uuid::Uuid;

use crate::SqlMetadata;
use crate::repository::{self, HOLD_REPOSITORY};
use crate::transaction::SqlTransaction;
use crate::value::{actor, optional_digest, parse, signed, time, unsigned, uuid};

macro_rules! columns {
    () => {
        "id, repository_id, owner_kind, owner_id, owner_name, algorithm, location, durable, tail, storage_state,
         hash_state, writer_process, writer_progressed_at, epoch, suspect, finished, cancelled, started_at, expires_at"
    };
}

statements! {
    UPLOAD = sql!(concat!("SELECT ", columns!(), " FROM upload_sessions WHERE id = $1"));
    LOCK_UPLOAD = sql!(
        pg: concat!("SELECT ", columns!(), " FROM upload_sessions WHERE id = $1 FOR UPDATE"),
        lite: concat!("SELECT ", columns!(), " FROM upload_sessions WHERE id = $1"),
    );
    EXPIRED_UPLOADS = sql!(concat!(
        "SELECT ", columns!(), " FROM upload_sessions
         WHERE expires_at < $1 AND (expires_at, id) > ($2, $3) ORDER BY expires_at, id LIMIT $4"
    ));
    UPLOADS = sql!(concat!(
        "SELECT ", columns!(), " FROM upload_sessions WHERE id > $1 ORDER BY id LIMIT $2"
    ));
    CHANGE_UPLOAD -> () = sql!(
        "UPDATE upload_sessions
         SET repository_id = $2, owner_kind = $3, owner_id = $4, owner_name = $5, algorithm = $6, location = $7,
             durable = $8, tail = $9, storage_state = $10, hash_state = $11, writer_process = $12,
             writer_progressed_at = $13, epoch = $14, suspect = $15, finished = $16, cancelled = $17,
             started_at = $18, expires_at = $19
         WHERE id = $1"
    );
    ADD_UPLOAD -> () = sql!(concat!(
        "INSERT INTO upload_sessions (", columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
    ));
    REMOVE_UPLOAD = sql!("DELETE FROM upload_sessions WHERE id = $1");
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    repository_id: i64,
    owner_kind: String,
    owner_id: i64,
    owner_name: String,
    algorithm: String,
    location: String,
    durable: i64,
    tail: Vec<u8>,
    storage_state: Vec<u8>,
    hash_state: Vec<u8>,
    writer_process: Option<Vec<u8>>,
    writer_progressed_at: Option<i64>,
    epoch: i64,
    suspect: bool,
    finished: Option<Vec<u8>>,
    cancelled: bool,
    started_at: i64,
    expires_at: i64,
}

fn session(row: Row) -> Result<UploadSession> {
    let writer = match (row.writer_process, row.writer_progressed_at) {
        (Some(process), Some(at)) => Some(Writer { process: uuid(&process)?, progressed_at: time(at) }),
        _ => None,
    };
    Ok(UploadSession {
        id: uuid(&row.id)?,
        repository: RepositoryId(row.repository_id),
        owner: actor(&row.owner_kind, row.owner_id, row.owner_name)?,
        algorithm: parse("the algorithm", &row.algorithm)?,
        location: Location::new(row.location),
        durable: unsigned(row.durable)?,
        tail: row.tail.into(),
        storage_state: row.storage_state,
        hash_state: row.hash_state,
        writer,
        epoch: row.epoch,
        suspect: row.suspect,
        finished: optional_digest(row.finished.as_deref())?,
        cancelled: row.cancelled,
        started_at: time(row.started_at),
        expires_at: time(row.expires_at),
    })
}

#[async_trait]
impl UploadReads for SqlMetadata {
    async fn upload(&self, id: Uuid) -> Result<Option<UploadSession>> {
        let row: Option<Row> = optional!(self, UPLOAD, id.as_bytes().as_slice());
        row.map(session).transpose()
    }

    async fn expired_uploads(
        &self,
        now: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<UploadSession>> {
        let (time, id) =
            after.map_or((i64::MIN, Vec::new()), |(time, id)| (time.as_micros(), id.as_bytes().to_vec()));
        let rows: Vec<Row> = all!(self, EXPIRED_UPLOADS, now.as_micros(), time, id, i64::from(limit));
        rows.into_iter().map(session).collect()
    }

    async fn uploads(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<UploadSession>> {
        let after = after.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let rows: Vec<Row> = all!(self, UPLOADS, after, i64::from(limit));
        rows.into_iter().map(session).collect()
    }
}

/// Runs one of the two statements that write a session; both take the columns in their order.
macro_rules! write_session {
    ($verb:ident, $on:expr, $statement:expr, $session:expr) => {{
        let (on, session) = ($on, $session);
        $verb!(
            on,
            $statement,
            session.id.as_bytes().as_slice(),
            session.repository.0,
            session.owner.kind.as_str(),
            session.owner.id,
            &session.owner.name,
            session.algorithm.as_str(),
            session.location.as_str(),
            signed(session.durable),
            &session.tail[..],
            &session.storage_state,
            &session.hash_state,
            session.writer.map(|writer| writer.process.as_bytes().to_vec()),
            session.writer.map(|writer| writer.progressed_at.as_micros()),
            session.epoch,
            session.suspect,
            session.finished.map(|digest| digest.to_bytes()),
            session.cancelled,
            session.started_at.as_micros(),
            session.expires_at.as_micros()
        )
    }};
}

#[async_trait]
impl UploadWrites for SqlTransaction {
    async fn lock_upload(&mut self, id: Uuid) -> Result<Option<UploadSession>> {
        let row: Option<Row> = optional!(self, LOCK_UPLOAD, id.as_bytes().as_slice());
        self.seen_upload = Some((id, row.is_some()));
        row.map(session).transpose()
    }

    async fn lock_upload_into(
        &mut self,
        id: Uuid,
        repository: &RepositoryName,
    ) -> Result<(Option<UploadSession>, Option<Repository>)> {
        let (row, held): (Option<Row>, Option<repository::Row>) = optional_both!(
            self,
            (LOCK_UPLOAD, id.as_bytes().as_slice()),
            (HOLD_REPOSITORY, repository.as_str())
        );
        self.seen_upload = Some((id, row.is_some()));
        Ok((row.map(session).transpose()?, self.note_held(held)?))
    }

    async fn save_upload(&mut self, session: &UploadSession) -> Result<()> {
        let seen = self.seen_upload.replace((session.id, true)).filter(|(id, _)| *id == session.id);
        match seen {
            Some((_, true)) => write_session!(later, &mut *self, CHANGE_UPLOAD, session),
            None if write_session!(execute, &mut *self, CHANGE_UPLOAD, session) > 0 => {}
            // The key decides between two who write a new row.
            _ => write_session!(later, &mut *self, ADD_UPLOAD, session),
        }
        Ok(())
    }

    async fn remove_upload(&mut self, id: Uuid) -> Result<()> {
        self.seen_upload = Some((id, false));
        execute!(self, REMOVE_UPLOAD, id.as_bytes().as_slice());
        Ok(())
    }
}
