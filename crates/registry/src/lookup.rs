//! Look-ups with the cache before the database, which is asked once for all who want to know the same ([`crate::flights`]). Only what
//! exists is remembered, so nothing has to be forgotten when it appears.
//!
//! While the database cannot be reached, what was known a moment ago is the answer. Pulls need no more than that; whoever wants to
//! change or list something meets the database right after, and whoever may not even pull was refused before.

mod manifest;

use berth_cache::{Key, Kind, Stamp};
use berth_domain::{Location, ProjectId, Repository, RepositoryId, Timestamp};
use berth_metadata::{Blob, BlobState, Error as DatabaseError, Place, Transaction};
use berth_oci::{Digest, RepositoryName, Tag};
use bytes::Bytes;

use crate::blob::{Damage, inline_damage};
use crate::guarded::Guarded;
use crate::{Error, Registry, Result};

pub(crate) fn repository_key(name: &RepositoryName) -> Key {
    Key::repository(name.as_str())
}

pub(crate) fn tag_key(repository: RepositoryId, tag: &Tag) -> Key {
    Key { kind: Kind::Tag, scope: repository.0, name: Bytes::copy_from_slice(tag.as_str().as_bytes()) }
}

pub(crate) fn manifest_key(repository: RepositoryId, digest: &Digest) -> Key {
    Key { kind: Kind::Manifest, scope: repository.0, name: digest.to_bytes().into() }
}

pub(crate) fn blob_key(repository: RepositoryId, digest: &Digest) -> Key {
    Key { kind: Kind::Blob, scope: repository.0, name: digest.to_bytes().into() }
}

/// Invalidated before the key of any manifest of the repository is: who finds its stamp unchanged knows that no manifest was
/// deleted meanwhile, also if they did not know beforehand which one they would find.
pub(crate) fn any_manifest_key(repository: RepositoryId) -> Key {
    Key { kind: Kind::Manifest, scope: repository.0, name: Bytes::new() }
}

impl Registry {
    /// The live repository of that name.
    pub(crate) async fn find(&self, name: &RepositoryName) -> Result<Option<Repository>> {
        let key = repository_key(name);
        let read = |value: &Bytes| repository_from(name, value);
        let question = |stamp| {
            let (registry, name) = (self.clone(), name.clone());
            async move {
                let found = registry.ports().metadata.repository(&name).await?;
                if let Some(found) = &found {
                    registry.ports().cache.put(repository_key(&name), repository_value(found), stamp).await;
                }
                Ok(found)
            }
        };
        Ok(self.inner.repositories.look_up(&key, read, question).await?)
    }

    /// The live repository of that name, or the error that there is none.
    pub(crate) async fn existing(&self, name: &RepositoryName) -> Result<Repository> {
        self.find(name).await?.ok_or_else(|| Error::NameUnknown(name.clone()))
    }

    /// The repository's blob, if its bytes are good as far as is known. Those that the database keeps are looked at when they are
    /// read: memory is believed.
    pub(crate) async fn good_blob(&self, repository: RepositoryId, digest: &Digest) -> Result<Option<Blob>> {
        let key = blob_key(repository, digest);
        let read = |value: &Bytes| blob_from(digest, value);
        let question = |stamp| {
            let (registry, digest) = (self.clone(), *digest);
            async move { registry.read_good_blob(repository, digest, stamp).await }
        };
        Ok(self.inner.blobs.look_up(&key, read, question).await?)
    }

    async fn read_good_blob(
        &self,
        repository: RepositoryId,
        digest: Digest,
        stamp: Stamp,
    ) -> Result<Option<Blob>, DatabaseError> {
        let found = self.ports().metadata.blob(repository, &digest).await?;
        let Some(blob) = found.filter(|blob| blob.state == BlobState::Ok) else { return Ok(None) };
        if let Some(reason) = inline_damage(&blob) {
            tracing::error!(%digest, reason, "a blob that the database keeps is damaged");
            self.note_damage(repository, &blob, Damage(BlobState::Corrupt)).await;
            return Ok(None);
        }
        self.ports().cache.put(blob_key(repository, &digest), blob_value(&blob), stamp).await;
        Ok(Some(blob))
    }
}

impl Guarded<'_> {
    /// The live repository of that name, made now if there is none.
    pub(crate) async fn ensure(&self, tx: &mut dyn Transaction, name: &RepositoryName) -> Result<Repository> {
        self.registry.ensure(tx, name, &self.caller.actor).await
    }
}

impl Registry {
    /// The live repository of that name, made now if there is none. Its project must be there: see [`Guarded::make_project`].
    pub(crate) async fn ensure(
        &self,
        tx: &mut dyn Transaction,
        name: &RepositoryName,
        by: &berth_domain::Actor,
    ) -> Result<Repository> {
        match tx.hold_repository(name).await? {
            Some(repository) => Ok(repository),
            None => self.add_repository(tx, name, by).await,
        }
    }

    /// Makes a repository that was not there.
    pub(crate) async fn add_repository(
        &self,
        tx: &mut dyn Transaction,
        name: &RepositoryName,
        by: &berth_domain::Actor,
    ) -> Result<Repository> {
        let (project, at) = (name.project(), self.now());
        let found = tx.find_project(&project).await?;
        let project = found.ok_or(Error::ProjectUnknown(project))?;
        Ok(tx.ensure_repository(&project, name, by, at).await?)
    }
}

fn repository_value(repository: &Repository) -> Bytes {
    let numbers = [repository.id.0, repository.project_id.0, repository.created_at.as_micros()];
    numbers.map(i64::to_be_bytes).concat().into()
}

fn repository_from(name: &RepositoryName, value: &[u8]) -> Option<Repository> {
    let number = |at: usize| value.get(at..at + 8)?.try_into().ok().map(i64::from_be_bytes);
    Some(Repository {
        id: RepositoryId(number(0)?),
        project_id: ProjectId(number(8)?),
        name: name.clone(),
        created_at: Timestamp::from_micros(number(16)?),
    })
}

/// The size, whether the bytes follow (1) or their location (0), and that.
fn blob_value(blob: &Blob) -> Bytes {
    let (inline, place) = match &blob.place {
        Place::Inline(content) => (1, &content[..]),
        Place::At(location) => (0, location.as_str().as_bytes()),
    };
    [&blob.size.to_be_bytes()[..], &[inline], place].concat().into()
}

fn blob_from(digest: &Digest, value: &Bytes) -> Option<Blob> {
    let size = u64::from_be_bytes(value.get(..8)?.try_into().ok()?);
    let place = match value.get(8)? {
        1 => Place::Inline(value.slice(9..)),
        _ => Place::At(Location::new(std::str::from_utf8(&value[9..]).ok()?)),
    };
    Some(Blob { digest: *digest, size, place, state: BlobState::Ok })
}
