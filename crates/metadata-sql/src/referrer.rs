//! Referrers, read from the manifests that have a subject.

use async_trait::async_trait;
use berth_domain::RepositoryId;
use berth_metadata::{Referrer, ReferrerReads, Result};
use berth_oci::{Descriptor, Digest};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::SqlMetadata;
use crate::error::corrupt;
use crate::statement::Statement;
use crate::value::{digest, parse, unsigned};

/// One column or more of a subject's referrers.
macro_rules! referrers {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM manifests
             WHERE repository_id = $1 AND subject = $2 AND deleted_at IS NULL AND id > $3
             AND (CAST($4 AS TEXT) IS NULL OR artifact_type = $4)
             AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)
             ORDER BY id LIMIT $5"
        )
    };
}

statements! {
    REFERRERS = sql!(referrers!("id, digest, media_type, artifact_type, size, annotations"));
    REFERRER_WEIGHTS = sql!(referrers!(
        "CAST(octet_length(media_type) + COALESCE(octet_length(artifact_type), 0) + COALESCE(octet_length(annotations), 0) AS BIGINT)"
    ));
}

type Row = (i64, Vec<u8>, String, Option<String>, i64, Option<String>);

fn referrer((position, name, media_type, artifact_type, size, annotations): Row) -> Result<Referrer> {
    let annotations = annotations
        .map(|json| serde_json::from_str(&json).map_err(|_| corrupt("the annotations", json)))
        .transpose()?;
    let descriptor = Descriptor {
        media_type: parse("the media type", &media_type)?,
        digest: digest(&name)?,
        size: unsigned(size)?,
        artifact_type,
        annotations,
    };
    Ok(Referrer { position, descriptor })
}

#[async_trait]
impl ReferrerReads for SqlMetadata {
    async fn referrers(
        &self,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Referrer>> {
        let rows: Vec<Row> =
            self.of_subject(REFERRERS, repository, subject, artifact_type, after, limit).await?;
        rows.into_iter().map(referrer).collect()
    }

    async fn referrer_weights(
        &self,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<u64>> {
        let rows: Vec<(i64,)> =
            self.of_subject(REFERRER_WEIGHTS, repository, subject, artifact_type, after, limit).await?;
        rows.into_iter().map(|(weight,)| unsigned(weight)).collect()
    }
}

impl SqlMetadata {
    /// A page of what the statement reads of a subject's referrers.
    async fn of_subject<T>(
        &self,
        statement: Statement,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let (subject, after) = (subject.to_bytes(), after.unwrap_or(0));
        Ok(all!(self, statement, repository.0, subject, after, artifact_type, i64::from(limit)))
    }
}
