//! The port's conformance suite on both databases, and what is this adapter's own.

/// How many connections to PostgreSQL a test has.
const CONNECTIONS: u32 = 8;

/// How databases are opened for tests that run on both.
const OPENING: Opening = Opening {
    connections: Some(CONNECTIONS),
    patience: None,
    schema: Schema::Update,
    history_lines: Some(conformance::HISTORY_LINES),
};

/// One test a database.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod lite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let directory = super::TempDir::new().unwrap();
                super::$test(super::embedded(&directory).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let url = super::Postgres::shared().new_database();
                super::$test(super::SqlMetadata::open_postgres_with(&url, super::super::OPENING).await.unwrap()).await;
            })+
        }
    };
}

mod both;
mod damage;
mod embedded;
mod failed_disk;
mod full_disk;
mod group;
mod locks;
mod millions;
mod server;
mod statements;

use berth_domain::{Actor, Location, Project, Repository, Timestamp};
use berth_metadata::certain::certain;
use berth_metadata::{
    Blob, BlobState, Metadata as _, Place, ProjectWrites as _, RepositoryWrites as _, Result, conformance,
};
use berth_oci::Digest;
use tempfile::TempDir;
use tokio::task::yield_now;

use crate::database::Pools;
use crate::{Opening, Schema, SqlMetadata};

/// A new database in `directory`.
async fn embedded(directory: &TempDir) -> SqlMetadata {
    let path = directory.path().join("berth.db");
    SqlMetadata::open_sqlite_with(&path, Opening { connections: None, ..OPENING }).await.unwrap()
}

/// Some moment.
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// A blob whose content is its name.
fn blob(content: &str) -> Blob {
    let place = Place::At(Location::new(format!("test:{content}")));
    Blob {
        digest: Digest::sha256(content.as_bytes()),
        size: content.len() as u64,
        place,
        state: BlobState::Ok,
    }
}

/// Makes `library/test`.
async fn repository(metadata: &SqlMetadata) -> (Project, Repository) {
    let mut tx = metadata.transaction().await.unwrap();
    let by = Actor::system();
    let project = tx.find_project(&"library".parse().unwrap()).await.unwrap().unwrap();
    let name = "library/test".parse().unwrap();
    let repository = tx.ensure_repository(&project, &name, &by, NOW).await.unwrap();
    berth_metadata::Transaction::commit(Box::new(tx)).await.unwrap();
    (project, repository)
}

/// Adds and links a blob in a transaction of its own.
async fn push(metadata: &SqlMetadata, repository: &Repository, content: &str) -> Result<Digest> {
    let blob = blob(content);
    let attempt = async {
        let mut tx = metadata.begin().await?;
        tx.add_blob(&blob, NOW).await?;
        tx.link_blob(repository, &blob.digest, blob.size, &Actor::system(), NOW).await?;
        tx.commit().await
    };
    certain(attempt).await?;
    Ok(blob.digest)
}

/// Waits until so many writers wait for their turn.
async fn until_waiting(metadata: &SqlMetadata, writers: usize) {
    let Pools::Lite(lite) = &metadata.pools else { panic!("an embedded database") };
    while lite.writers() != writers {
        yield_now().await;
    }
}

/// Whether readers see the blob.
async fn is_there(metadata: &SqlMetadata, repository: &Repository, content: &str) -> bool {
    use berth_metadata::BlobReads as _;
    metadata.blob(repository.id, &blob(content).digest).await.unwrap().is_some()
}
