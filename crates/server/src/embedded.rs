//! An embedded installation at rest or beside a running server: backup and restore.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use berth_access::keyring::is_sealed_under;
use berth_blobs::Error as BlobError;
use berth_blobs_filesystem::BlobCopies;
use berth_config::Config;
use berth_metadata::{BlobReads, BlobState, Metadata, UploadReads};
use berth_metadata_sql::{Opening, Schema, SqlMetadata};

use crate::data_directory::{self, DataDirectory};
use crate::{accounts, private_file};

/// The name of the database in a data directory and in a backup.
const DATABASE: &str = "berth.db";
/// Its name in either while everything else is brought there.
const DRAFT: &str = "berth.db.draft";
/// What may lie in an empty directory: the lock's file stays when a server has ended, and the other is a volume's own.
const NOTHING: [&str; 2] = ["lock", "lost+found"];
/// How many rows are looked at together.
const BATCH: u32 = 1000;
/// How often keys and database are copied until they belong together.
const ATTEMPTS: u32 = 5;
/// The keys of an installation that made its own.
const KEYS: [&str; 2] = [accounts::SECRET_KEY, accounts::EARLIER_KEY];

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

/// Copies an embedded installation into `directory`, which must be empty or not there. A server may run on it meanwhile, and its key
/// may be replaced: the database is copied first, as it is at one moment, with the key that opens it, and every blob that it names
/// was published before. The copy is a data directory by itself; unfinished uploads are not in it. One that fails leaves nothing in
/// it, one that is killed nothing that could be taken for a backup.
pub async fn backup(config: &Config, directory: &Path) -> Result<Copied> {
    backup_beside(config, directory, async || {}).await
}

/// The same, with something that happens each time when the keys are copied and the database is not.
pub(crate) async fn backup_beside(
    config: &Config,
    directory: &Path,
    meanwhile: impl AsyncFnMut(),
) -> Result<Copied> {
    let database = existing_database(config)?;
    data_directory::create(directory)?;
    ensure_empty(directory)?;
    let draft = Draft::new(directory, &directory.join("blobs"));
    let as_it_is = Opening { schema: Schema::AsItIs, ..Opening::default() };
    let opened = SqlMetadata::open_sqlite_with(&database, as_it_is).await;
    let metadata = opened.context("the database cannot be opened")?;
    let copied = copy_all(config, &metadata, &draft, meanwhile).await;
    metadata.close().await;
    let copied = copied?;
    draft.become_whole().context("the copied database cannot be put in its place")?;
    Ok(copied)
}

async fn copy_all(
    config: &Config,
    metadata: &SqlMetadata,
    draft: &Draft,
    meanwhile: impl AsyncFnMut(),
) -> Result<Copied> {
    let copied = copy_database(config, metadata, draft, meanwhile).await?;
    forget_uploads(&copied).await.context("unfinished uploads cannot be left out")?;
    let outcome = copy_blobs(&copied, &config.blob_directory(), &draft.blobs).await?;
    copied.close().await;
    Ok(outcome)
}

/// Brings the backup in `directory` into the configured data directory, which must be empty or not there. The backup is only read:
/// what has to be brought up to date is its copy.
pub async fn restore(config: &Config, directory: &Path) -> Result<Copied> {
    if config.embedded_database().is_none() {
        bail!(
            "a backup is restored into an embedded installation: remove database.url, or use PostgreSQL's own tools"
        );
    }
    let backup = directory.join(DATABASE);
    ensure!(backup.is_file(), "{} holds no backup: there is no {DATABASE} in it", directory.display());
    let locked = DataDirectory::lock(&config.data.directory)?;
    ensure_empty(&config.data.directory)?;
    let blobs = config.blob_directory();
    if blobs.exists() {
        ensure_empty(&blobs)?;
    }
    data_directory::ensure_at_rest(directory)?;
    let draft = Draft::new(&config.data.directory, &blobs);
    let copied = SqlMetadata::copy_sqlite_at_rest(&backup, &draft.database).await;
    copied.context("the backup's database cannot be copied")?;
    let ours = Opening { schema: Schema::UpdateOurs, ..Opening::default() };
    let opened = SqlMetadata::open_sqlite_with(&draft.database, ours).await;
    let metadata = opened.context("the backup's database cannot be opened")?;
    let copied = copy_blobs(&metadata, &directory.join("blobs"), &draft.blobs).await?;
    copy_keys(directory, &config.data.directory)?;
    metadata.close().await;
    draft.become_whole().context("the restored database cannot be put in its place")?;
    drop(locked);
    Ok(copied)
}

/// A copy on its way to be a whole one. It is a backup or an installation when its database has its name, which comes last; it goes
/// if it does not become that.
struct Draft {
    directory: PathBuf,
    database: PathBuf,
    blobs: PathBuf,
    /// Whether the directory of blobs was there before.
    had_blobs: bool,
    whole: bool,
}

impl Draft {
    /// In a directory, with blobs in another, both of which hold nothing.
    fn new(directory: &Path, blobs: &Path) -> Self {
        let database = directory.join(DRAFT);
        let (directory, had_blobs) = (directory.to_owned(), blobs.exists());
        Self { directory, database, blobs: blobs.to_owned(), had_blobs, whole: false }
    }

    /// Gives the closed database its name, durably.
    fn become_whole(mut self) -> Result<()> {
        let [_, log, _] = self.files();
        ensure!(!log.exists(), "{} is left: the database was not closed", log.display());
        fs::rename(&self.database, self.directory.join(DATABASE))?;
        self.whole = true;
        Ok(File::open(&self.directory)?.sync_all()?)
    }

    /// Removes database and keys. What is not there needs not go; another error says nothing that the copy's own does not.
    fn clear(&self) {
        let keys = KEYS.iter().map(|key| self.directory.join(key));
        for file in self.files().into_iter().chain(keys) {
            let _ = fs::remove_file(file);
        }
    }

    /// The file, and what SQLite keeps beside it while it is open.
    fn files(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|end| {
            let mut name = self.database.clone().into_os_string();
            name.push(end);
            name.into()
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.whole {
            self.clear();
            let _ = BlobCopies::remove(&self.blobs);
            if !self.had_blobs {
                let _ = fs::remove_dir(&self.blobs);
            }
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

/// The database's copy and the keys that open it. Where `berth secrets rotate` put another key in between, both are copied again.
async fn copy_database(
    config: &Config,
    metadata: &SqlMetadata,
    draft: &Draft,
    mut meanwhile: impl AsyncFnMut(),
) -> Result<SqlMetadata> {
    for _ in 0..ATTEMPTS {
        copy_keys(&config.data.directory, &draft.directory)?;
        meanwhile().await;
        metadata.backup_sqlite(&draft.database).await.context("the database cannot be copied")?;
        let opened = SqlMetadata::open_sqlite(&draft.database).await;
        let copied = opened.context("the copied database cannot be opened")?;
        if opens(config, &draft.directory, &copied).await? {
            return Ok(copied);
        }
        copied.close().await;
        draft.clear();
    }
    bail!(
        "the secrets in the database do not open under the key in {}: if `berth secrets rotate` was interrupted, run it again first; if the key is a configured one, give access.secret_key here too",
        config.data.directory.display()
    )
}

/// Whether what is sealed in the copy opens with the copied keys; a configured key is kept elsewhere.
async fn opens(config: &Config, directory: &Path, copied: &SqlMetadata) -> Result<bool> {
    if !config.access.secret_key.is_empty() {
        return Ok(true);
    }
    let Some(seals) = accounts::own_seals(directory)? else { return Ok(true) };
    is_sealed_under(copied, &seals).await.context("the copied secrets cannot be read")
}

/// An installation that made its own key is worth nothing without it.
fn copy_keys(from: &Path, to: &Path) -> Result<()> {
    KEYS.iter().try_for_each(|name| private_file::copy(&from.join(name), &to.join(name)))
}

fn ensure_empty(directory: &Path) -> Result<()> {
    let entries = fs::read_dir(directory);
    let entries = entries.with_context(|| format!("{} cannot be read", directory.display()))?;
    let mut found = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    match found.find(|name| !NOTHING.iter().any(|nothing| name == nothing)) {
        Some(name) if name.to_string_lossy().starts_with(DRAFT) || directory.join(DRAFT).exists() => bail!(
            "{} holds a copy that was interrupted: remove what is in it, or name a new directory",
            directory.display()
        ),
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
        let rows = metadata.stored_blobs(after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.digest);
        for row in rows {
            match blobs.bring(&row.location).await {
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
