//! Whose blobs these are: the database and the directory of its blobs name the same installation.
//!
//! **Invariants.** A directory that is not the database's is never taken for an empty one: a volume that is not mounted would look
//! like the loss of everything. Blobs of which the database names none are never taken for its own: a check would call them orphans,
//! and its repair would remove them.

use std::path::Path;

use anyhow::{Context, Result, bail};
use berth_blobs::Blobs as _;
use berth_blobs_filesystem::FilesystemBlobs;
use berth_metadata::Metadata;
use futures::StreamExt as _;
use uuid::Uuid;

/// The setting that names the installation.
const SETTING: &str = "installation";
/// How many blobs are looked at together.
const BATCH: u32 = 500;

/// Makes sure that the blobs in `directory` are those of the database, and marks a directory that is new, or holds what the database
/// names and bears no mark yet.
/// `fresh` becomes the name of an installation that has none. Without it nothing is written, neither a name nor a mark.
pub(crate) async fn claim(
    metadata: &dyn Metadata,
    blobs: &FilesystemBlobs,
    directory: &Path,
    fresh: Option<Uuid>,
) -> Result<()> {
    let ours = match fresh {
        Some(fresh) => name(metadata, fresh).await?,
        None => match metadata.setting(SETTING).await? {
            Some(kept) => Uuid::from_slice(&kept)?,
            // It was never served, and there is nothing to tell it apart by.
            None => return Ok(()),
        },
    };
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
        None => {
            let mark = format!("{at}/{}", berth_blobs_filesystem::MARK);
            match kinship(metadata, blobs).await? {
                Kinship::Ours | Kinship::New if fresh.is_none() => Ok(()),
                Kinship::Ours | Kinship::New => Ok(blobs.mark(ours).await?),
                Kinship::Lost => bail!(
                    "the database names blobs, but {at} holds none: is its volume mounted? To begin with an empty directory all the same, write {ours} into {mark}"
                ),
                Kinship::Strange => bail!(
                    "{at} holds blobs, but none that this database names: name the right directory as storage.directory, or the right database, or an empty directory to begin anew. To take this one all the same, which lets `berth fsck --repair` remove those blobs, write {ours} into {mark}"
                ),
            }
        }
    }
}

/// What a database and a directory without a mark are to each other.
#[derive(Clone, Copy, Debug)]
enum Kinship {
    /// The directory holds what the database names: it was restored, or filled before there were marks.
    Ours,
    /// Neither knows of any blob. Whatever else lies in the directory, such as the tree of another registry, does not matter.
    New,
    /// The database names blobs, and the directory holds none.
    Lost,
    /// The directory holds blobs, and the database names none of them.
    Strange,
}

async fn kinship(metadata: &dyn Metadata, blobs: &FilesystemBlobs) -> Result<Kinship> {
    let holds = holds_blobs(blobs).await?;
    let mut after = None;
    loop {
        let rows = metadata.stored_blobs(after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.digest);
        for row in &rows {
            if !holds {
                return Ok(Kinship::Lost);
            }
            if blobs.inspect(&row.location).await?.is_some_and(|stored| stored.published) {
                return Ok(Kinship::Ours);
            }
        }
    }
    Ok(if holds { Kinship::Strange } else { Kinship::New })
}

/// Whether any blob was published in the directory.
async fn holds_blobs(blobs: &FilesystemBlobs) -> Result<bool> {
    let mut list = blobs.list();
    while let Some(listed) = list.next().await {
        if listed?.bytes().is_some_and(|stored| stored.published) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn name(metadata: &dyn Metadata, fresh: Uuid) -> Result<Uuid> {
    let mut tx = metadata.begin().await?;
    let kept = tx.ensure_setting(SETTING, fresh.as_bytes()).await?;
    tx.commit().await?;
    Ok(Uuid::from_slice(&kept)?)
}
