//! An embedded installation at rest or beside a running server: backup and restore.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use berth_blobs::{BufferPool, Error as BlobError};
use berth_blobs_filesystem::{FilesystemBlobs, LocalFileSystem, Options, sync_copies};
use berth_config::Config;
use berth_domain::SystemEntropy;
use berth_metadata::{BlobReads, BlobState, Metadata, Place, UploadReads};
use berth_metadata_sql::{Opening, Schema, SqlMetadata};

use crate::data_directory::{self, DataDirectory};
use crate::{accounts, private_file};

/// The name of the database in a data directory and in a backup.
const DATABASE: &str = "berth.db";
/// How many rows are looked at together.
const BATCH: u32 = 1000;

/// What came of a backup or a restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many blobs have files, all of which are there now.
    pub blobs: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// What the database calls good and storage does not have.
    pub missing: Vec<String>,
}

/// Copies an embedded installation into `directory`, which must be empty or not there. A server may run on it meanwhile: the
/// database is copied first, as it is at one moment, and every blob that it names was published before. The copy is a data
/// directory by itself; unfinished uploads are not in it.
pub async fn backup(config: &Config, directory: &Path) -> Result<Copied> {
    let database = existing_database(config)?;
    data_directory::create(directory)?;
    ensure_empty(directory)?;
    // Before the database, so that what is sealed in it opens.
    copy_keys(&config.data.directory, directory)?;
    let as_it_is = Opening { schema: Schema::AsItIs, ..Opening::default() };
    let opened = SqlMetadata::open_sqlite_with(&database, as_it_is).await;
    let metadata = opened.context("the database cannot be opened")?;
    let copy = directory.join(DATABASE);
    metadata.backup_sqlite(&copy).await.context("the database cannot be copied")?;
    let copied = SqlMetadata::open_sqlite(&copy).await.context("the copied database cannot be opened")?;
    forget_uploads(&copied).await.context("unfinished uploads cannot be left out")?;
    copy_blobs(&copied, &config.blob_directory(), &directory.join("blobs")).await
}

/// Brings the backup in `directory` into the configured data directory, which must be empty or not there.
pub async fn restore(config: &Config, directory: &Path) -> Result<Copied> {
    let Some(database) = config.embedded_database() else {
        bail!(
            "a backup is restored into an embedded installation: remove database.url, or use PostgreSQL's own tools"
        );
    };
    let backup = directory.join(DATABASE);
    ensure!(backup.is_file(), "{} holds no backup: there is no {DATABASE} in it", directory.display());
    let locked = DataDirectory::lock(&config.data.directory)?;
    ensure_empty(&config.data.directory)?;
    let blobs = config.blob_directory();
    data_directory::create(&blobs)?;
    ensure_empty(&blobs)?;
    let metadata =
        SqlMetadata::open_sqlite(&backup).await.context("the backup's database cannot be opened")?;
    let copied = copy_blobs(&metadata, &directory.join("blobs"), &blobs).await?;
    copy_keys(directory, &config.data.directory)?;
    // Last, so that a restore that was interrupted leaves nothing that looks like an installation.
    metadata.backup_sqlite(&database).await.context("the database cannot be copied")?;
    drop(locked);
    Ok(copied)
}

/// The embedded database of the configured data directory, if an installation is there.
pub fn existing_database(config: &Config) -> Result<PathBuf> {
    let Some(database) = config.embedded_database() else {
        bail!(
            "PostgreSQL is backed up with its own tools, such as pg_dump: only an embedded installation can be copied"
        );
    };
    ensure!(
        database.is_file(),
        "there is no installation in {}: name its data directory with --data",
        config.data.directory.display()
    );
    Ok(database)
}

/// An installation that made its own key is worth nothing without it.
fn copy_keys(from: &Path, to: &Path) -> Result<()> {
    for name in [accounts::SECRET_KEY, accounts::EARLIER_KEY] {
        private_file::copy(&from.join(name), &to.join(name))?;
    }
    Ok(())
}

fn ensure_empty(directory: &Path) -> Result<()> {
    let entries = std::fs::read_dir(directory);
    let entries = entries.with_context(|| format!("{} cannot be read", directory.display()))?;
    // The lock's file stays when a server has ended.
    let found = entries.filter_map(|entry| Some(entry.ok()?.file_name())).find(|name| name != "lock");
    match found {
        Some(name) => bail!(
            "{} is not empty, it holds {}: name a new directory",
            directory.display(),
            name.to_string_lossy()
        ),
        None => Ok(()),
    }
}

/// Unfinished uploads have files that change: the copy does without them.
async fn forget_uploads(metadata: &SqlMetadata) -> Result<()> {
    loop {
        let uploads = metadata.uploads(None, BATCH).await?;
        if uploads.is_empty() {
            return Ok(());
        }
        let mut tx = metadata.begin().await?;
        for upload in uploads {
            tx.remove_upload(upload.id).await?;
        }
        tx.commit().await?;
    }
}

async fn copy_blobs(metadata: &SqlMetadata, from: &Path, to: &Path) -> Result<Copied> {
    let (source, buffers) = (from.to_owned(), BufferPool::new(0));
    let opening = tokio::task::spawn_blocking(move || {
        let files = Arc::new(LocalFileSystem);
        FilesystemBlobs::open(&source, Arc::new(SystemEntropy), buffers, files, Options::default())
    });
    let blobs =
        opening.await?.with_context(|| format!("the blobs in {} cannot be opened", from.display()))?;
    data_directory::create(to)?;
    let mut copied = Copied::default();
    let mut after = None;
    loop {
        let rows = metadata.blobs(after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.digest);
        for row in rows {
            let Place::At(location) = &row.place else { continue };
            match blobs.copy_to(location, to).await {
                Ok(()) => {
                    copied.blobs += 1;
                    copied.bytes += row.size;
                }
                Err(BlobError::Missing(_)) if row.state == BlobState::Ok => {
                    copied.missing.push(row.digest.to_string());
                }
                Err(BlobError::Missing(_)) => {}
                Err(error) => return Err(error).with_context(|| format!("{} cannot be copied", row.digest)),
            }
        }
    }
    let root = to.to_owned();
    let synced = tokio::task::spawn_blocking(move || sync_copies(&root)).await?;
    synced.context("the copies cannot be made durable")?;
    Ok(copied)
}
