//! An embedded installation at rest or beside a running server: backup and restore.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use berth_blobs::Error as BlobError;
use berth_blobs_filesystem::BlobCopies;
use berth_config::Config;
use berth_metadata::{BlobReads, BlobState, Metadata, Place, UploadReads};
use berth_metadata_sql::{Opening, Schema, SqlMetadata};

use crate::data_directory::{self, DataDirectory};
use crate::{accounts, private_file};

/// The name of the database in a data directory and in a backup.
const DATABASE: &str = "berth.db";
/// The name of the database in a data directory while it is restored.
const DRAFT: &str = "berth.db.restored";
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
    let outcome = copy_blobs(&copied, &config.blob_directory(), &directory.join("blobs")).await;
    // Everything is in the one file then.
    copied.close().await;
    outcome
}

/// Brings the backup in `directory` into the configured data directory, which must be empty or not there. The backup is only read:
/// what has to be brought up to date is its copy.
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
    if blobs.exists() {
        ensure_empty(&blobs)?;
    }
    data_directory::ensure_at_rest(directory)?;
    let draft = Draft(config.data.directory.join(DRAFT));
    let copied = SqlMetadata::copy_sqlite_at_rest(&backup, &draft.0).await;
    copied.context("the backup's database cannot be copied")?;
    let metadata =
        SqlMetadata::open_sqlite(&draft.0).await.context("the backup's database cannot be opened")?;
    let copied = copy_blobs(&metadata, &directory.join("blobs"), &blobs).await?;
    copy_keys(directory, &config.data.directory)?;
    metadata.close().await;
    // Last, so that a restore that was interrupted leaves nothing that looks like an installation.
    draft.become_database(&database).context("the restored database cannot be put in its place")?;
    drop(locked);
    Ok(copied)
}

/// A database on its way to be an installation's; it goes if it does not become that.
struct Draft(PathBuf);

impl Draft {
    /// Gives the closed database its name, durably.
    fn become_database(&self, database: &Path) -> Result<()> {
        let [_, log, _] = self.files();
        ensure!(!log.exists(), "{} is left: the database was not closed", log.display());
        fs::rename(&self.0, database)?;
        Ok(File::open(database.parent().unwrap_or(Path::new(".")))?.sync_all()?)
    }

    /// The file, and what SQLite keeps beside it while it is open.
    fn files(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|end| {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            name.into()
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for file in self.files() {
            // Usually none is there any more; another error says nothing that the restore's own does not.
            let _ = fs::remove_file(file);
        }
    }
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
    let entries = fs::read_dir(directory);
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
    data_directory::create(to)?;
    let blobs = BlobCopies::new(from, to);
    let mut copied = Copied::default();
    let mut after = None;
    loop {
        let rows = metadata.blobs(after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.digest);
        for row in rows {
            let Place::At(location) = &row.place else { continue };
            match blobs.bring(location).await {
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
    blobs.sync().await.context("the copies cannot be made durable")?;
    Ok(copied)
}
