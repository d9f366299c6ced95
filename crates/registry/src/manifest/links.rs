//! What a manifest points at, against what the repository has.

use std::collections::{BTreeMap, BTreeSet};

use berth_domain::RepositoryId;
use berth_metadata::{Metadata, Transaction};
use berth_oci::manifest::{Link, LinkRole, Target};
use berth_oci::{Digest, Manifest};

use crate::{Error, MissingContent, Result};

/// How many digests are asked for in one statement.
const BATCH: usize = 500;

/// The sizes of what the repository has.
#[derive(Debug, Default)]
pub(crate) struct Present {
    blobs: BTreeMap<Digest, u64>,
    manifests: BTreeMap<Digest, u64>,
}

/// Who tells what the repository has.
pub(crate) enum Source<'a> {
    /// A reader: as of now.
    Now(&'a dyn Metadata),
    /// A transaction: locked against deletion until it ends.
    Locked(&'a mut dyn Transaction),
}

impl Source<'_> {
    async fn blobs(&mut self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>> {
        Ok(match self {
            Self::Now(metadata) => metadata.linked_sizes(repository, digests).await?,
            Self::Locked(tx) => tx.lock_links(repository, digests).await?,
        })
    }

    async fn manifests(&mut self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>> {
        Ok(match self {
            Self::Now(metadata) => metadata.manifest_sizes(repository, digests).await?,
            Self::Locked(tx) => tx.lock_manifests(repository, digests).await?,
        })
    }
}

impl Present {
    /// Looks up everything that `manifest` points at or is about; in the digests' order, so that two pushes that lock never wait for each other
    /// in a circle.
    pub(crate) async fn find(
        mut source: Source<'_>,
        repository: RepositoryId,
        manifest: &Manifest,
    ) -> Result<Self> {
        let mut present = Self::default();
        for digests in in_order(asked(manifest, may_be_blob)).chunks(BATCH) {
            present.blobs.extend(known(digests, source.blobs(repository, digests).await?));
        }
        let subject = manifest.subject.iter().map(|subject| subject.digest);
        let manifests = asked(manifest, may_be_manifest).chain(subject);
        for digests in in_order(manifests).chunks(BATCH) {
            present.manifests.extend(known(digests, source.manifests(repository, digests).await?));
        }
        Ok(present)
    }

    /// Refuses a manifest that names content which the policy demands and the repository lacks, or names it with a wrong size.
    pub(crate) fn satisfies(&self, manifest: &Manifest, policy: MissingContent) -> Result<()> {
        if let Some(contradiction) = self.contradiction(manifest) {
            return Err(contradiction);
        }
        let missing = self.missing(manifest, |role| demanded(role, policy));
        if missing.is_empty() { Ok(()) } else { Err(Error::ManifestBlobUnknown(missing)) }
    }

    /// What the manifest names with another size than it has.
    pub(crate) fn contradiction(&self, manifest: &Manifest) -> Option<Error> {
        manifest.links.iter().find_map(|Link { role, descriptor }| {
            let (digest, said) = (descriptor.digest, descriptor.size);
            let size = self.size(*role, &digest, said).filter(|size| *size != said)?;
            Some(Error::DescriptorSize { digest, said, size })
        })
    }

    /// What the manifest names in such roles and the repository lacks, each once, in order.
    pub(crate) fn missing(&self, manifest: &Manifest, in_question: impl Fn(LinkRole) -> bool) -> Vec<Digest> {
        let lacks = |Link { role, descriptor }: &&Link| {
            let is_there = self.size(*role, &descriptor.digest, descriptor.size).is_some();
            in_question(*role) && !is_there && !descriptor.is_foreign()
        };
        let missing = manifest.links.iter().filter(lacks).map(|link| link.descriptor.digest);
        in_order(missing)
    }

    /// Refuses a manifest whose subject is there with another size than it says; one that is still to come may come.
    pub(crate) fn agrees_with_subject(&self, manifest: &Manifest) -> Result<()> {
        let Some(&Target { digest, size: said, .. }) = manifest.subject.as_ref() else { return Ok(()) };
        match self.manifests.get(&digest) {
            Some(&size) if size != said => Err(Error::DescriptorSize { digest, said, size }),
            _ => Ok(()),
        }
    }

    /// The size of what a link of that role names; where it may name a blob or a manifest, the one that agrees with `said`.
    fn size(&self, role: LinkRole, digest: &Digest, said: u64) -> Option<u64> {
        let blob = self.blobs.get(digest).filter(|_| may_be_blob(role));
        let manifest = self.manifests.get(digest).filter(|_| may_be_manifest(role));
        manifest.filter(|size| **size == said).or(blob).or(manifest).copied()
    }
}

/// What the manifest points at in such roles.
fn asked(manifest: &Manifest, in_question: fn(LinkRole) -> bool) -> impl Iterator<Item = Digest> {
    let links = manifest.links.iter().filter(move |link| in_question(link.role));
    links.map(|link| link.descriptor.digest)
}

/// Each digest once, in order.
fn in_order(digests: impl Iterator<Item = Digest>) -> Vec<Digest> {
    digests.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(crate) const fn may_be_blob(role: LinkRole) -> bool {
    matches!(role, LinkRole::Config | LinkRole::Layer | LinkRole::Entry)
}

const fn may_be_manifest(role: LinkRole) -> bool {
    matches!(role, LinkRole::Manifest | LinkRole::Entry)
}

pub(crate) const fn demanded(role: LinkRole, policy: MissingContent) -> bool {
    match policy {
        MissingContent::None => true,
        MissingContent::Children => matches!(role, LinkRole::Config | LinkRole::Layer),
        MissingContent::Any => false,
    }
}

fn known(digests: &[Digest], sizes: Vec<Option<u64>>) -> impl Iterator<Item = (Digest, u64)> {
    digests.iter().zip(sizes).filter_map(|(digest, size)| Some((*digest, size?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(entries: &str) -> Manifest {
        let json = format!(r#"{{"schemaVersion":2,"mediaType":"application/x.test+json",{entries}}}"#);
        Manifest::parse(json.as_bytes(), None).expect("a manifest")
    }

    fn descriptor(media_type: &str, content: &[u8], size: usize) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{size}}}"#, Digest::sha256(content))
    }

    #[test]
    fn the_policy_decides_what_may_be_missing() {
        let layer = descriptor("application/x.layer", b"layer", 5);
        let foreign = descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar", b"foreign", 7);
        let child = descriptor("application/vnd.oci.image.manifest.v1+json", b"child", 5);
        let of = |entries: String| manifest(&entries);
        let cases = [
            (of(format!(r#""layers":[{layer}]"#)), [false, false, true]),
            (of(format!(r#""layers":[{foreign}]"#)), [true, true, true]),
            (of(format!(r#""manifests":[{child}]"#)), [false, true, true]),
            (of(format!(r#""manifests":[{layer}]"#)), [false, true, true]),
            (of(format!(r#""subject":{child}"#)), [true, true, true]),
        ];
        for (manifest, expected) in cases {
            let policies = [MissingContent::None, MissingContent::Children, MissingContent::Any];
            let taken = policies.map(|policy| Present::default().satisfies(&manifest, policy).is_ok());
            assert_eq!(taken, expected, "{manifest:?}");
        }
    }

    #[test]
    fn a_subject_that_is_there_has_the_size_that_is_said() {
        let about = |size| {
            let kind = "application/vnd.oci.image.manifest.v1+json";
            manifest(&format!(r#""subject":{}"#, descriptor(kind, b"subject", size)))
        };
        let digest = Digest::sha256(b"subject");
        let present = Present { manifests: [(digest, 7)].into(), ..Present::default() };
        assert!(present.agrees_with_subject(&about(7)).is_ok());
        let refused = present.agrees_with_subject(&about(8));
        assert!(matches!(refused, Err(Error::DescriptorSize { said: 8, size: 7, .. })), "{refused:?}");
        assert!(Present::default().agrees_with_subject(&about(8)).is_ok(), "it is still to come");
    }

    #[test]
    fn sizes_must_agree_whatever_the_policy() {
        let digest = Digest::sha256(b"layer");
        let present = Present { blobs: [(digest, 5)].into(), manifests: [(digest, 6)].into() };
        let entry = |place: &str, size| {
            manifest(&format!(r#""{place}":[{}]"#, descriptor("application/x.layer", b"layer", size)))
        };
        assert!(present.satisfies(&entry("layers", 5), MissingContent::Any).is_ok());
        assert!(matches!(
            present.satisfies(&entry("layers", 6), MissingContent::Any),
            Err(Error::DescriptorSize { said: 6, size: 5, .. })
        ));
        // An entry may be a blob or a manifest.
        assert!(present.satisfies(&entry("manifests", 5), MissingContent::None).is_ok());
        assert!(present.satisfies(&entry("manifests", 6), MissingContent::None).is_ok());
        assert!(present.satisfies(&entry("manifests", 7), MissingContent::Any).is_err());
    }
}
