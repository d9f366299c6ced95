//! Look-ups with the cache before the database. Only what exists is remembered, so nothing has to be forgotten when it appears.
//!
//! While the database cannot be reached, what was known a moment ago is the answer. Pulls need no more than that; whoever wants to
//! change or list something meets the database right after, and whoever may not even pull was refused before.

use berth_cache::{Key, Kind};
use berth_domain::{Location, ProjectId, Repository, RepositoryId, Timestamp};
use berth_metadata::{Blob, BlobState, Error as DatabaseError, Place, StoredManifest, Transaction};
use berth_oci::{Digest, RepositoryName, Tag};
use bytes::Bytes;

use crate::blob::{Damage, inline_damage};
use crate::guarded::Guarded;
use crate::{Error, PulledManifest, Registry, Result};

pub(crate) fn repository_key(name: &RepositoryName) -> Key {
    Key { kind: Kind::Repository, scope: 0, name: Bytes::copy_from_slice(name.as_str().as_bytes()) }
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
        let read = |value: &Bytes| numbers(value, name);
        self.look_up(repository_key(name), read, repository_value, self.ports().metadata.repository(name))
            .await
    }

    /// The live repository of that name, or the error that there is none.
    pub(crate) async fn existing(&self, name: &RepositoryName) -> Result<Repository> {
        self.find(name).await?.ok_or_else(|| Error::NameUnknown(name.clone()))
    }

    /// The repository's blob, if its bytes are good as far as is known. Those that the database keeps are looked at when they are
    /// read: memory is believed.
    pub(crate) async fn good_blob(&self, repository: RepositoryId, digest: &Digest) -> Result<Option<Blob>> {
        let read = |value: &Bytes| blob_from(digest, value);
        let question = async {
            let found = self.ports().metadata.blob(repository, digest).await?;
            let Some(blob) = found.filter(|blob| blob.state == BlobState::Ok) else { return Ok(None) };
            if let Some(reason) = inline_damage(&blob) {
                tracing::error!(%digest, reason, "a blob that the database keeps is damaged");
                self.note_damage(repository, &blob, Damage(BlobState::Corrupt)).await;
                return Ok(None);
            }
            Ok(Some(blob))
        };
        self.look_up(blob_key(repository, digest), read, blob_value, question).await
    }

    /// The repository's manifest of that digest, if its bytes are what the digest names.
    pub(crate) async fn manifest_by_digest(
        &self,
        repository: RepositoryId,
        digest: &Digest,
    ) -> Result<Option<PulledManifest>> {
        let read = |value: &Bytes| manifest_from(*digest, value);
        let question = async {
            let found = self.ports().metadata.manifest(repository, digest).await?;
            Ok(found.filter(is_whole).map(pulled))
        };
        self.look_up(manifest_key(repository, digest), read, manifest_value, question).await
    }

    /// The manifest that the repository's tag names, if its bytes are what its digest names.
    pub(crate) async fn manifest_by_tag(
        &self,
        repository: RepositoryId,
        tag: &Tag,
    ) -> Result<Option<PulledManifest>> {
        let cache = &self.ports().cache;
        let key = tag_key(repository, tag);
        if let Some(digest) = cache.get(&key).await.and_then(|value| Digest::from_bytes(&value))
            && let Some(manifest) = self.manifest_by_digest(repository, &digest).await?
        {
            return Ok(Some(manifest));
        }
        // Nothing is known, or another process deleted what is: then it has moved the tag too, or taken it away.
        let any = any_manifest_key(repository);
        let (tag_stamp, any_stamp) = (cache.stamp(&key), cache.stamp(&any));
        let known = cache.last_known(&key).await.and_then(|value| Digest::from_bytes(&value));
        let question = self.ports().metadata.manifest_by_tag(repository, tag);
        let manifest = match self.ask(known, question).await? {
            Answer::Known(digest) => return self.manifest_by_digest(repository, &digest).await,
            Answer::Found(Some(manifest)) if is_whole(&manifest) => pulled(manifest),
            Answer::Found(_) => return Ok(None),
        };
        cache.put(key, manifest.digest.to_bytes().into(), tag_stamp).await;
        let key = manifest_key(repository, &manifest.digest);
        let stamp = cache.stamp(&key);
        if cache.stamp(&any) == any_stamp {
            cache.put(key, manifest_value(&manifest), stamp).await;
        }
        Ok(Some(manifest))
    }

    /// What the cache has under `key`, else what the database says, which the cache then has.
    async fn look_up<T>(
        &self,
        key: Key,
        read: impl Fn(&Bytes) -> Option<T>,
        write: impl Fn(&T) -> Bytes,
        question: impl Future<Output = Result<Option<T>, DatabaseError>>,
    ) -> Result<Option<T>> {
        let cache = &self.ports().cache;
        if let Some(found) = cache.get(&key).await.and_then(|value| read(&value)) {
            return Ok(Some(found));
        }
        let stamp = cache.stamp(&key);
        let known = cache.last_known(&key).await.and_then(|value| read(&value));
        match self.ask(known, question).await? {
            Answer::Known(known) => Ok(Some(known)),
            Answer::Found(found) => {
                if let Some(found) = &found {
                    cache.put(key, write(found), stamp).await;
                }
                Ok(found)
            }
        }
    }

    /// What the database says; what was known, if it cannot say anything now.
    async fn ask<K, F>(
        &self,
        known: Option<K>,
        question: impl Future<Output = Result<F, DatabaseError>>,
    ) -> Result<Answer<K, F>> {
        let Some(known) = known else { return Ok(Answer::Found(question.await?)) };
        match self.ports().access.outage().ask(question).await {
            Err(DatabaseError::Unavailable(_)) => Ok(Answer::Known(known)),
            answer => Ok(Answer::Found(answer?)),
        }
    }
}

/// Where an answer comes from.
enum Answer<K, F> {
    /// From a moment ago.
    Known(K),
    /// From the database.
    Found(F),
}

impl Guarded<'_> {
    /// Sees to it that what is pushed has a project to go into: makes it, private, if the caller's pushes may make projects.
    /// [`Error::ProjectUnknown`] if there is none.
    pub(crate) async fn make_room(&self, name: &RepositoryName) -> Result<()> {
        if self.registry.find(name).await?.is_some() {
            return Ok(());
        }
        let ports = self.registry.ports();
        let project = name.project();
        if ports.metadata.project(&project).await?.is_some() {
            return Ok(());
        }
        if !ports.access.may_create_by_push(self.caller).await? {
            return Err(Error::ProjectUnknown(project));
        }
        let mut tx = ports.metadata.begin().await?;
        tx.ensure_project(&project, false, &self.caller.actor, self.registry.now()).await?;
        tx.commit().await?;
        ports.access.forget_project(&project).await;
        Ok(())
    }

    /// The live repository of that name, made now if there is none.
    pub(crate) async fn ensure(&self, tx: &mut dyn Transaction, name: &RepositoryName) -> Result<Repository> {
        self.registry.ensure(tx, name, &self.caller.actor).await
    }
}

impl Registry {
    /// The live repository of that name, made now if there is none. Its project must be there: see [`Guarded::make_room`].
    pub(crate) async fn ensure(
        &self,
        tx: &mut dyn Transaction,
        name: &RepositoryName,
        by: &berth_domain::Actor,
    ) -> Result<Repository> {
        if let Some(repository) = tx.hold_repository(name).await? {
            return Ok(repository);
        }
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

/// Whether the bytes that the database gave are those that the digest names. Others are not there for clients, so that they push
/// them again, which puts them right. Looked at once, when they are read: memory is believed.
fn is_whole(manifest: &StoredManifest) -> bool {
    let actual = Digest::of(manifest.digest.algorithm(), &manifest.content);
    let whole = actual == manifest.digest;
    if !whole {
        tracing::error!(
            digest = %manifest.digest, %actual,
            "a manifest's bytes in the database are damaged: it is not served until it is pushed again"
        );
    }
    whole
}

fn numbers(value: &[u8], name: &RepositoryName) -> Option<Repository> {
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

/// The length of the media type in two bytes, the media type, the content.
fn manifest_value(manifest: &PulledManifest) -> Bytes {
    let media_type = &manifest.media_type;
    // Media types have at most 255 bytes.
    let len = u16::try_from(media_type.len()).unwrap_or(u16::MAX);
    [&len.to_be_bytes()[..], media_type, &manifest.content].concat().into()
}

fn manifest_from(digest: Digest, value: &Bytes) -> Option<PulledManifest> {
    let end = 2 + usize::from(u16::from_be_bytes(value.get(..2)?.try_into().ok()?));
    (end <= value.len()).then(|| PulledManifest {
        digest,
        media_type: value.slice(2..end),
        content: value.slice(end..),
    })
}

fn pulled(manifest: StoredManifest) -> PulledManifest {
    PulledManifest {
        digest: manifest.digest,
        media_type: Bytes::copy_from_slice(manifest.media_type.as_str().as_bytes()),
        content: manifest.content,
    }
}
