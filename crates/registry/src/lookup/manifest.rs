//! Manifests: by digest, and by the tag that names them.

use berth_cache::Stamp;
use berth_domain::RepositoryId;
use berth_metadata::{Error as DatabaseError, FoundManifest, StoredManifest};
use berth_oci::{Digest, Reference, Tag};
use bytes::Bytes;

use super::{any_manifest_key, manifest_key, tag_key};
use crate::apart::{SMALL, apart};
use crate::flights::Answer;
use crate::large_manifests::Crowded;
use crate::{PulledManifest, Registry, Result};

/// A manifest that the database says is there.
struct Read {
    manifest: PulledManifest,
    /// As the cache keeps it.
    value: Bytes,
}

impl Registry {
    /// The repository's manifest of that digest, if its bytes are what the digest names.
    pub(crate) async fn manifest_by_digest(
        &self,
        repository: RepositoryId,
        digest: &Digest,
    ) -> Result<Option<PulledManifest>> {
        let key = manifest_key(repository, digest);
        let read = |value: &Bytes| manifest_from(*digest, value).map(Ok);
        let question = |stamp| {
            let (registry, digest) = (self.clone(), *digest);
            async move {
                let reference = Reference::Digest(digest);
                let read = match registry.read_manifest(repository, &reference).await? {
                    Some(Ok(read)) => read,
                    other => return Ok(other.map(|read| read.map(|read| read.manifest))),
                };
                registry.ports().cache.put(manifest_key(repository, &digest), read.value, stamp).await;
                Ok(Some(Ok(read.manifest)))
            }
        };
        Ok(self.inner.manifests.look_up(&key, read, question).await?.transpose()?)
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
        let known = cache.last_known(&key).await.and_then(|value| Digest::from_bytes(&value));
        let question = |stamp| {
            let (registry, tag) = (self.clone(), tag.clone());
            async move { registry.resolve(repository, tag, stamp).await }
        };
        match self.inner.manifests.ask(&key, known, question).await? {
            Answer::Known(digest) => self.manifest_by_digest(repository, &digest).await,
            Answer::Found(found) => Ok(found.transpose()?),
        }
    }

    /// What is remembered of the manifest, believed or not any more, without a question.
    pub(crate) async fn remembered_manifest(
        &self,
        repository: RepositoryId,
        digest: &Digest,
    ) -> Option<PulledManifest> {
        let value = self.ports().cache.last_known(&manifest_key(repository, digest)).await?;
        manifest_from(*digest, &value)
    }

    /// Asks what the tag names, and remembers both.
    async fn resolve(
        &self,
        repository: RepositoryId,
        tag: Tag,
        stamp: Stamp,
    ) -> Result<Option<Result<PulledManifest, Crowded>>, DatabaseError> {
        let cache = &self.ports().cache;
        let any = any_manifest_key(repository);
        let any_stamp = cache.stamp(&any);
        let key = tag_key(repository, &tag);
        let read = match self.read_manifest(repository, &Reference::Tag(tag)).await? {
            Some(Ok(read)) => read,
            other => return Ok(other.map(|read| read.map(|read| read.manifest))),
        };
        let digest = read.manifest.digest;
        cache.put(key, digest.to_bytes().into(), stamp).await;
        let key = manifest_key(repository, &digest);
        let stamp = cache.stamp(&key);
        if cache.stands(any_stamp) {
            cache.put(key, read.value, stamp).await;
        }
        Ok(Some(Ok(read.manifest)))
    }

    /// Reads a manifest. The bytes of a large one leave the database only if they are not known, and when there is room for them.
    async fn read_manifest(
        &self,
        repository: RepositoryId,
        reference: &Reference,
    ) -> Result<Option<Result<Read, Crowded>>, DatabaseError> {
        let metadata = &self.ports().metadata;
        let (mut most, mut room) = (SMALL as u64, None);
        loop {
            let found = match reference {
                Reference::Tag(tag) => metadata.manifest_by_tag(repository, tag, most).await?,
                Reference::Digest(digest) => metadata.manifest_up_to(repository, digest, most).await?,
            };
            let (digest, media_type, size) = match found {
                None => return Ok(None),
                Some(FoundManifest::Large { digest, media_type, size }) => (digest, media_type, size),
                Some(FoundManifest::Whole(stored)) => {
                    let digest = stored.digest;
                    let Some(value) = whole_value(stored).await else { return Ok(None) };
                    let read = Read::of(digest, value);
                    let in_room =
                        |read: Read| Read { manifest: self.in_room(read.manifest, room), value: read.value };
                    return Ok(read.map(in_room).map(Ok));
                }
            };
            let known = self.ports().cache.last_known(&manifest_key(repository, &digest)).await;
            let known = known.and_then(|value| Read::of(digest, value));
            if let Some(known) = known.filter(|known| known.manifest.media_type == media_type.as_str()) {
                return Ok(Some(Ok(known)));
            }
            // Whoever waits for room has none.
            drop(room.take());
            match self.inner.large_manifests.room(usize::try_from(size).unwrap_or(usize::MAX)).await {
                Ok(found) => room = Some(found),
                Err(crowded) => return Ok(Some(Err(crowded))),
            }
            most = size;
        }
    }

    /// The manifest in the room that was made for it, if it needed some.
    fn in_room(&self, manifest: PulledManifest, room: Option<berth_blobs::Reservation>) -> PulledManifest {
        if room.is_none() {
            return manifest;
        }
        self.inner.large_manifests.lend(&manifest, room).unwrap_or(manifest)
    }
}

impl Read {
    fn of(digest: Digest, value: Bytes) -> Option<Self> {
        Some(Self { manifest: manifest_from(digest, &value)?, value })
    }
}

/// What the cache keeps of a manifest, if the bytes that the database gave are those that the digest names. Others are not there
/// for clients, so that they push them again, which puts them right. Looked at once, when they are read: memory is believed.
async fn whole_value(stored: StoredManifest) -> Option<Bytes> {
    let StoredManifest { digest, media_type, content } = stored;
    let size = content.len();
    let hash = move || (Digest::of(digest.algorithm(), &content), content);
    let (actual, content) = apart(size, hash).await;
    if actual != digest {
        tracing::error!(
            %digest, %actual,
            "a manifest's bytes in the database are damaged: it is not served until it is pushed again"
        );
        return None;
    }
    Some(manifest_value(content, media_type.as_str()))
}

/// The content, the media type, its length in two bytes: content that nobody else has stays where it is.
fn manifest_value(content: Bytes, media_type: &str) -> Bytes {
    // Media types have at most 255 bytes.
    let len = u16::try_from(media_type.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut value = Vec::from(content);
    value.reserve_exact(media_type.len() + len.len());
    value.extend_from_slice(media_type.as_bytes());
    value.extend_from_slice(&len);
    value.into()
}

fn manifest_from(digest: Digest, value: &Bytes) -> Option<PulledManifest> {
    let (rest, len) = value.split_last_chunk()?;
    let end = rest.len().checked_sub(usize::from(u16::from_be_bytes(*len)))?;
    Some(PulledManifest { digest, media_type: value.slice(end..rest.len()), content: value.slice(..end) })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn stored(size: usize) -> StoredManifest {
        let content = Bytes::from(vec![7; size]);
        let media_type = "application/x.test".parse().expect("a media type");
        StoredManifest { digest: Digest::sha256(&content), media_type, content }
    }

    #[tokio::test]
    async fn what_is_read_is_what_is_remembered() {
        for size in [0, 1, SMALL, SMALL + 1] {
            let stored = stored(size);
            let value = whole_value(stored.clone()).await.unwrap();
            let manifest = manifest_from(stored.digest, &value).unwrap();
            assert_eq!(
                (manifest.content, &manifest.media_type[..]),
                (stored.content, &b"application/x.test"[..])
            );
        }
        assert_eq!(manifest_from(stored(0).digest, &Bytes::from_static(b"\0")), None);
        assert_eq!(manifest_from(stored(0).digest, &Bytes::from_static(b"x\0\x02")), None);
    }

    #[tokio::test]
    async fn damaged_bytes_are_not_there() {
        let damaged = StoredManifest { content: Bytes::from_static(b"others"), ..stored(5) };
        assert_eq!(whole_value(damaged).await, None);
    }

    #[tokio::test]
    async fn large_bytes_are_hashed_where_they_hold_up_nobody() {
        let mut large = pin!(whole_value(stored(SMALL + 1)));
        assert!(futures::poll!(&mut large).is_pending());
        assert!(large.await.is_some());
        assert!(futures::poll!(pin!(whole_value(stored(SMALL)))).is_ready());
    }
}
