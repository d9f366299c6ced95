//! What manifests say as rows: written with them, compared with their bytes, and derived from these again.

use std::collections::BTreeSet;

use async_trait::async_trait;
use berth_domain::{Repository, RepositoryId, Timestamp};
use berth_metadata::{
    BlobWrites as _, ManifestDifference, NewManifest, ReferenceReads, ReferenceWrites, Result,
};
use berth_oci::Digest;
use berth_oci::manifest::LinkRole;

use crate::SqlMetadata;
use crate::batch::{self, Cell};
use crate::transaction::SqlTransaction;
use crate::value::{digest, signed};

/// Roles of references as the column keeps them; what a blob is needed by is told apart from what a manifest is needed by.
const CONFIG: i16 = 0;
const LAYER: i16 = 1;
const MANIFEST: i16 = 2;
const ENTRY: i16 = 3;
const SUBJECT: i16 = 4;

statements! {
    ADD_REFERENCES -> () = sql!(
        pg: "INSERT INTO manifest_references (repository_id, manifest_id, position, role, target, size)
             SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST(e->>0 AS BIGINT), CAST(e->>1 AS SMALLINT),
                    decode(e->>2, 'hex'), CAST(e->>3 AS BIGINT)
             FROM json_array_elements(CAST($3 AS json)) AS e",
        lite: "INSERT INTO manifest_references (repository_id, manifest_id, position, role, target, size)
               SELECT $1, $2, value->>0, value->>1, unhex(value->>2), value->>3 FROM json_each($3)",
    );
    REFERENCES = sql!(
        "SELECT position, role, target, size FROM manifest_references WHERE repository_id = $1 AND manifest_id = $2"
    );
    DELETE_REFERENCES = sql!("DELETE FROM manifest_references WHERE repository_id = $1 AND manifest_id = $2");
    KEPT_FIELDS = sql!(
        "SELECT id, size, subject, artifact_type, annotations FROM manifests
         WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL"
    );
    /// The same, alone with the manifest if its bytes are these.
    LOCK_KEPT_FIELDS = sql!(
        pg: "SELECT id, size, subject, artifact_type, annotations FROM manifests
             WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL AND content = $3 FOR UPDATE",
        lite: "SELECT id, size, subject, artifact_type, annotations FROM manifests
               WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL AND content = $3",
    );
    SET_FIELDS = sql!(
        "UPDATE manifests SET size = $3, subject = $4, artifact_type = $5, annotations = $6
         WHERE repository_id = $1 AND id = $2"
    );
}

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    position: i64,
    role: i16,
    target: Vec<u8>,
    size: i64,
}

type Row = (i64, i16, Vec<u8>, i64);
type FieldsRow = (i64, i64, Option<Vec<u8>>, Option<String>, Option<String>);

/// What the manifest's own row says beside its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) size: i64,
    pub(crate) subject: Option<Vec<u8>>,
    pub(crate) artifact_type: Option<String>,
    pub(crate) annotations: Option<String>,
}

impl Fields {
    /// What it should say.
    pub(crate) fn of(new: &NewManifest<'_>) -> Self {
        let manifest = new.manifest;
        Self {
            size: signed(new.content.len() as u64),
            subject: manifest.subject.as_ref().map(|subject| subject.digest.to_bytes()),
            artifact_type: manifest.referrer_type().map(str::to_owned),
            annotations: manifest.annotations.clone(),
        }
    }

    /// The names of those that are others than in `kept`.
    fn others(&self, kept: &Self) -> Vec<&'static str> {
        let all = [
            ("size", self.size == kept.size),
            ("subject", self.subject == kept.subject),
            ("artifact type", self.artifact_type == kept.artifact_type),
            ("annotations", self.annotations == kept.annotations),
        ];
        all.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

const fn role_number(role: LinkRole) -> i16 {
    match role {
        LinkRole::Config => CONFIG,
        LinkRole::Layer => LAYER,
        LinkRole::Manifest => MANIFEST,
        LinkRole::Entry => ENTRY,
    }
}

/// Everything that a manifest points at.
fn said(new: &NewManifest<'_>) -> BTreeSet<Reference> {
    let links = new.manifest.links.iter().map(|link| (role_number(link.role), &link.descriptor));
    let subject = new.manifest.subject.iter().map(|subject| (SUBJECT, subject));
    let numbered = links.chain(subject).zip(0..);
    let references = numbered.map(|((role, descriptor), position)| Reference {
        position,
        role,
        target: descriptor.digest.to_bytes(),
        size: signed(descriptor.size),
    });
    references.collect()
}

/// What the manifest may need a blob for, in order.
fn blobs(new: &NewManifest<'_>) -> Vec<Digest> {
    let blobs = new.manifest.links.iter().filter(|link| link.role != LinkRole::Manifest);
    blobs.map(|link| link.descriptor.digest).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A manifest's rows and what its bytes say.
struct Compared {
    id: i64,
    kept_fields: Fields,
    fields: Fields,
    kept: BTreeSet<Reference>,
    said: BTreeSet<Reference>,
}

impl Compared {
    fn new(row: FieldsRow, kept: Vec<Row>, new: &NewManifest<'_>) -> Self {
        let (id, size, subject, artifact_type, annotations) = row;
        let kept = kept.into_iter();
        Self {
            id,
            kept_fields: Fields { size, subject, artifact_type, annotations },
            fields: Fields::of(new),
            kept: kept
                .map(|(position, role, target, size)| Reference { position, role, target, size })
                .collect(),
            said: said(new),
        }
    }

    fn difference(&self) -> Option<ManifestDifference> {
        let difference = ManifestDifference {
            missing: self.said.difference(&self.kept).count() as u64,
            surplus: self.kept.difference(&self.said).count() as u64,
            fields: self.fields.others(&self.kept_fields),
        };
        let is_none = difference.missing == 0 && difference.surplus == 0 && difference.fields.is_empty();
        (!is_none).then_some(difference)
    }
}

#[async_trait]
impl ReferenceReads for SqlMetadata {
    async fn manifest_difference(
        &self,
        repository: RepositoryId,
        manifest: &NewManifest<'_>,
    ) -> Result<Option<ManifestDifference>> {
        let row: Option<FieldsRow> = optional!(self, KEPT_FIELDS, repository.0, manifest.digest.to_bytes());
        let Some(row) = row else { return Ok(None) };
        let kept: Vec<Row> = all!(self, REFERENCES, repository.0, row.0);
        Ok(Compared::new(row, kept, manifest).difference())
    }
}

#[async_trait]
impl ReferenceWrites for SqlTransaction {
    async fn derive_references(
        &mut self,
        repository: &Repository,
        manifest: &NewManifest<'_>,
        at: Timestamp,
    ) -> Result<Option<ManifestDifference>> {
        let (id, name) = (repository.id, manifest.digest.to_bytes());
        // Before the manifest, like a push: whoever takes a blob away waits for the rows that say who needs it.
        self.lock_links(id, &blobs(manifest)).await?;
        let row: Option<FieldsRow> =
            optional!(self, LOCK_KEPT_FIELDS, id.0, &name, manifest.content.as_ref());
        let Some(row) = row else { return Ok(None) };
        let kept: Vec<Row> = all!(self, REFERENCES, id.0, row.0);
        let compared = Compared::new(row, kept, manifest);
        let Some(difference) = compared.difference() else { return Ok(None) };
        let Compared { id: number, fields, kept, said, .. } = compared;
        execute!(
            self,
            SET_FIELDS,
            id.0,
            number,
            fields.size,
            fields.subject.as_deref(),
            fields.artifact_type.as_deref(),
            fields.annotations.as_deref()
        );
        execute!(self, DELETE_REFERENCES, id.0, number);
        self.add_references(id, number, &said).await?;
        // Whatever the rows no longer say may have lost its last reference by that.
        self.pending.review_manifest(id, &manifest.digest, at);
        for reference in kept.symmetric_difference(&said) {
            self.review_target(id, reference, at);
        }
        Ok(Some(difference))
    }
}

impl SqlTransaction {
    /// Writes down everything that a new manifest points at.
    pub(crate) async fn note_references(
        &mut self,
        repository: RepositoryId,
        manifest: i64,
        new: &NewManifest<'_>,
    ) -> Result<()> {
        self.add_references(repository, manifest, &said(new)).await
    }

    async fn add_references(
        &mut self,
        repository: RepositoryId,
        manifest: i64,
        references: &BTreeSet<Reference>,
    ) -> Result<()> {
        if !references.is_empty() {
            let batch = batch::rows(references.iter().map(|Reference { position, role, target, size }| {
                let role = Cell::Number(i64::from(*role));
                vec![Cell::Number(*position), role, Cell::Bytes(target), Cell::Number(*size)]
            }));
            later!(self, ADD_REFERENCES, repository.0, manifest, batch);
        }
        Ok(())
    }

    /// Puts into the review queue what the manifest of that number points at.
    pub(crate) async fn review_targets(
        &mut self,
        repository: RepositoryId,
        manifest: i64,
        at: Timestamp,
    ) -> Result<()> {
        let rows: Vec<Row> = all!(self, REFERENCES, repository.0, manifest);
        for (position, role, target, size) in rows {
            self.review_target(repository, &Reference { position, role, target, size }, at);
        }
        Ok(())
    }

    /// A reference came or went. A target that is no digest is nobody's.
    fn review_target(&mut self, repository: RepositoryId, reference: &Reference, at: Timestamp) {
        let Ok(target) = digest(&reference.target) else { return };
        if matches!(reference.role, CONFIG | LAYER | ENTRY) {
            self.pending.review_blob(&reference.target, at);
        }
        if matches!(reference.role, MANIFEST | ENTRY) {
            self.pending.review_manifest(repository, &target, at);
        }
    }
}
