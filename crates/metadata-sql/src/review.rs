//! The review queue, as garbage collection reads it.

use async_trait::async_trait;
use berth_domain::{RepositoryId, Timestamp};
use berth_metadata::{Result, Review, ReviewReads, ReviewSubject};

use crate::SqlMetadata;
use crate::value::{digest, time};

statements! {
    REVIEWS = sql!(
        "SELECT digest, repository_id, review_after FROM review_queue
         WHERE review_after < $1 ORDER BY review_after, digest, repository_id LIMIT $2"
    );
}

type Row = (Vec<u8>, i64, i64);

fn review((name, repository, after): Row) -> Result<Review> {
    let digest = digest(&name)?;
    let subject = match repository {
        0 => ReviewSubject::Blob(digest),
        number => ReviewSubject::Manifest(RepositoryId(number), digest),
    };
    Ok(Review { subject, review_after: time(after) })
}

#[async_trait]
impl ReviewReads for SqlMetadata {
    async fn reviews(&self, before: Timestamp, limit: u32) -> Result<Vec<Review>> {
        let rows: Vec<Row> = all!(self, REVIEWS, before.as_micros(), i64::from(limit));
        rows.into_iter().map(review).collect()
    }
}
