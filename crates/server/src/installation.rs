//! Whose blobs these are: the database and the directory of its blobs name the same installation.
//!
//! **Invariant.** A directory that is not the database's is never taken for an empty one: a volume that is not mounted would look
//! like the loss of everything.

use std::path::Path;

use anyhow::{Context, Result, bail};
use berth_blobs::Blobs as _;
use berth_blobs_filesystem::FilesystemBlobs;
use berth_metadata::{Metadata, Place};
use futures::StreamExt as _;
use uuid::Uuid;

/// The setting that names the installation.
const SETTING: &str = "installation";
/// How many blobs are looked at together.
const BATCH: u32 = 500;

/// Makes sure that the blobs in `directory` are those of the database, and marks a directory that is new or bears no mark yet.
/// `fresh` becomes the name of an installation that has none.
pub(crate) async fn claim(
    metadata: &dyn Metadata,
    blobs: &FilesystemBlobs,
    directory: &Path,
    fresh: Uuid,
) -> Result<()> {
    let ours = name(metadata, fresh).await?;
    let at = directory.display();
    let marked = blobs.installation().await.with_context(|| {
        format!(
            "{at}/{} cannot be read: bring it back, or remove it if these are the blobs of this database",
            berth_blobs_filesystem::MARK
        )
    });
    match marked? {
        Some(theirs) if theirs == ours => Ok(()),
        Some(theirs) => bail!(
            "{at} holds the blobs of the installation {theirs}, but this database is of {ours}: name the right directory as storage.directory, or the right database"
        ),
        None if blobs.list().next().await.is_none() && names_files(metadata).await? => bail!(
            "the database names blobs, but {at} is empty: is its volume mounted? To begin with an empty directory all the same, write {ours} into {at}/{}",
            berth_blobs_filesystem::MARK
        ),
        None => Ok(blobs.mark(ours).await?),
    }
}

async fn name(metadata: &dyn Metadata, fresh: Uuid) -> Result<Uuid> {
    let mut tx = metadata.begin().await?;
    let kept = tx.ensure_setting(SETTING, fresh.as_bytes()).await?;
    tx.commit().await?;
    Ok(Uuid::from_slice(&kept)?)
}

/// Whether any blob lies outside of the database.
async fn names_files(metadata: &dyn Metadata) -> Result<bool> {
    let mut after = None;
    loop {
        let blobs = metadata.blobs(after.as_ref(), BATCH).await?;
        let Some(last) = blobs.last() else { return Ok(false) };
        after = Some(last.digest);
        if blobs.iter().any(|blob| matches!(blob.place, Place::At(_))) {
            return Ok(true);
        }
    }
}
