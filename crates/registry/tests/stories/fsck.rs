//! The check of everything, beside a registry that is used.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use berth_domain::{Clock as _, DeletionId};
use berth_metadata::{Deletion, Metadata as _, NewManifest, RepositoryReads as _};
use berth_oci::{Digest, Manifest, Reference};
use berth_registry::fsck::{Finding, Options, Report};
use berth_registry::{Condition, MissingContent, Registry};

use crate::house::{House, MIB, NEXT, body, caller, content, name, pull, push};
use crate::manifests::{image, push_image, push_to, tag, to};

pub(crate) async fn check(registry: &Registry, deep: bool, repair: bool) -> (Report, Vec<Finding>) {
    let mut findings = Vec::new();
    let report =
        registry.fsck(Options { deep, repair }, &mut |finding| findings.push(finding.clone())).await.unwrap();
    (report, findings)
}

#[tokio::test]
async fn a_house_in_use_is_clean() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/clean"));
    let guarded = registry.as_caller(&caller);
    for size in [0, 10, 100_000, 3 * MIB] {
        push(&registry, &repository, &content(size)).await;
    }
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    guarded.write_chunk(&repository, &ticket, NEXT, body(&content(MIB))).await.unwrap();
    let (report, findings) = check(&registry, true, false).await;
    assert_eq!(findings, []);
    assert!(report.is_clean());
    assert_eq!((report.blobs, report.manifests, report.sessions, report.stored), (4, 0, 1, 3));
}

#[tokio::test]
async fn a_deep_check_reads_manifests_and_looks_for_what_they_demand() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/manifests"));
    let guarded = registry.as_caller(&caller);
    let (config, layer) = (content(100), content(40_000));
    let (config_digest, layer_digest) =
        (push(&registry, &repository, &config).await, push(&registry, &repository, &layer).await);
    let mut pushed = Vec::new();
    for annotation in ["one", "two"] {
        let content = image(&config, &layer, annotation);
        guarded
            .push_manifest(&repository, to(Reference::Tag(tag(annotation)), &content, Condition::Anything))
            .await
            .unwrap();
        pushed.push(Digest::sha256(&content));
    }
    let (report, findings) = check(&registry, true, false).await;
    assert_eq!((findings, report.manifests, report.is_clean()), (vec![], 2, true));
    // The database is damaged: a link is gone, and the bytes of one manifest are others.
    let (content, false_name) = (image(&config, &layer, "three"), Digest::sha256(b"other bytes"));
    let manifest = Manifest::parse(&content, None).unwrap();
    let kept = house.metadata.repository(&repository).await.unwrap().unwrap();
    let (by, now) = (berth_domain::Actor::system(), house.clock.now());
    let mut tx = house.metadata.begin().await.unwrap();
    let damaged = NewManifest { digest: false_name, content: &content, manifest: &manifest };
    tx.add_manifest(&kept, &damaged, &by, now).await.unwrap();
    let deletion = Deletion { id: DeletionId(uuid::Uuid::from_u128(1)), by, at: now };
    tx.unlink_blob(&kept, &layer_digest, &deletion).await.unwrap();
    tx.commit().await.unwrap();
    let (report, _) = check(&registry, false, true).await;
    assert!(report.is_sound(), "only a deep check looks at manifests");
    let (report, findings) = check(&registry, true, true).await;
    assert_eq!((report.corrupt, report.incomplete, report.is_sound()), (1, 2, false));
    let lacks = || format!("its repository lacks {layer_digest}");
    let incomplete =
        |digest: Digest| Finding::Incomplete { repository: repository.clone(), digest, lacks: lacks() };
    let actual = Digest::sha256(&content);
    let corrupt = Finding::CorruptManifest { repository: repository.clone(), digest: false_name, actual };
    let expected = [incomplete(pushed[0]), incomplete(pushed[1]), corrupt];
    assert!(findings.len() == 3 && expected.iter().all(|one| findings.contains(one)), "{findings:?}");
    assert!(guarded.blob(&repository, &config_digest).await.is_ok());
}

#[tokio::test]
async fn what_a_setting_allowed_or_somebody_deleted_is_no_loss() {
    let mut house = House::new().await;
    house.settings.missing_content = MissingContent::Any;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/sparse"));
    // A layer that never was there, and an index of which a child is deleted.
    let config = content(100);
    push(&registry, &repository, &config).await;
    let sparse = image(&config, &content(40_000), "sparse");
    push_to(&registry, &repository, "sparse", &sparse, Condition::Anything).await.unwrap();
    let (child, digest) = push_image(&registry, &repository, "child").await;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}]}}"#,
        child.len()
    );
    let index = bytes::Bytes::from(index);
    push_to(&registry, &repository, "index", &index, Condition::Anything).await.unwrap();
    registry.as_caller(&caller).delete_manifest(&repository, &digest).await.unwrap();
    let (report, findings) = check(&registry, true, false).await;
    assert!(report.is_clean() && findings.is_empty(), "{findings:?}");
    house.settings.missing_content = MissingContent::None;
    let strict = house.process(2, true).await;
    let (report, mut findings) = check(&strict, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
    let of = |manifest: &bytes::Bytes, lacks: Digest| Finding::Sparse {
        repository: repository.clone(),
        digest: Digest::sha256(manifest),
        lacks: format!("its repository lacks {lacks}"),
    };
    let mut expected = [of(&sparse, Digest::sha256(&content(40_000))), of(&index, digest)];
    expected.sort_by_key(|finding| format!("{finding:?}"));
    findings.sort_by_key(|finding| format!("{finding:?}"));
    assert_eq!(findings, expected);
    // What was there is a loss whatever the setting.
    let layer = push(&registry, &repository, &content(50_000)).await;
    let whole = image(&config, &content(50_000), "whole");
    push_to(&registry, &repository, "whole", &whole, Condition::Anything).await.unwrap();
    std::fs::remove_file(&house.files().0[0]).unwrap();
    let (report, findings) = check(&registry, true, true).await;
    assert_eq!((report.missing, report.incomplete), (1, 1), "{findings:?}");
    assert!(
        matches!(&findings[1], Finding::Incomplete { lacks, .. } if lacks.contains(&layer.to_string())),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_check_goes_on_while_another_process_writes() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/beside");
    let (_, manifest) = push_image(&registry, &repository, "1").await;
    let gone = push(&registry, &repository, &content(MIB)).await;
    std::fs::remove_file(&house.files().0[0]).unwrap();
    let kept = house.metadata.repository(&repository).await.unwrap().unwrap();
    let by = berth_domain::Actor::system();
    let mut tx = house.metadata.begin().await.unwrap();
    let layer = Digest::sha256(&content(20));
    let deletion = Deletion { id: DeletionId(uuid::Uuid::from_u128(1)), by, at: house.clock.now() };
    tx.unlink_blob(&kept, &layer, &deletion).await.unwrap();
    tx.commit().await.unwrap();
    // The one turn at writing is another's until the check is done.
    let database = house.directory.path().join("berth.db");
    let other = berth_metadata_sql::SqlMetadata::open_sqlite(&database).await.unwrap();
    let mut writing = other.begin().await.unwrap();
    writing.ensure_setting("taken", b"1").await.unwrap();
    let (report, findings) = check(&registry, true, false).await;
    assert_eq!((report.missing, report.incomplete), (1, 1), "{findings:?}");
    let named = |finding: &Finding| match finding {
        Finding::Missing { digest, .. } => *digest == gone,
        Finding::Incomplete { digest, .. } => *digest == manifest,
        _ => false,
    };
    assert!(findings.iter().all(named), "{findings:?}");
    writing.commit().await.unwrap();
}

#[tokio::test]
async fn damage_is_found_marked_and_healed() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/damage");
    let (gone, flipped) = (content(2 * MIB), content(2 * MIB + 1));
    let (missing, corrupt) =
        (push(&registry, &repository, &gone).await, push(&registry, &repository, &flipped).await);
    for file in house.files().0 {
        let len = std::fs::metadata(&file).unwrap().len();
        if len == gone.len() as u64 {
            std::fs::remove_file(&file).unwrap();
        } else {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[MIB] ^= 1;
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let (report, _) = check(&registry, false, false).await;
    assert_eq!((report.missing, report.corrupt, report.is_sound()), (1, 0, false));
    let (report, findings) = check(&registry, true, true).await;
    assert_eq!((report.missing, report.corrupt), (1, 1));
    let named = |digest: Digest| {
        findings.iter().any(|finding| match finding {
            Finding::Missing { digest: found, .. } | Finding::Corrupt { digest: found, .. } => {
                *found == digest
            }
            _ => false,
        })
    };
    assert!(named(missing) && named(corrupt), "{findings:?}");
    // Another process sees the marks, and the next push heals.
    let other = house.process(2, true).await;
    assert!(pull(&other, &repository, &corrupt).await.is_err());
    push(&other, &repository, &gone).await;
    push(&other, &repository, &flipped).await;
    assert_eq!(pull(&other, &repository, &corrupt).await.unwrap(), flipped);
    let (report, findings) = check(&other, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
}

/// Somebody brought a volume back, or put the right file in its place again.
#[tokio::test]
async fn a_mark_goes_when_the_bytes_are_right_whatever_the_check() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (repository, good) = (name("library/back"), content(2 * MIB));
    let digest = push(&registry, &repository, &good).await;
    let file = house.files().0[0].clone();
    let away = house.directory.path().join("away");
    std::fs::rename(&file, &away).unwrap();
    assert!(pull(&registry, &repository, &digest).await.is_err());
    // As many bytes as there were, but not the same.
    std::fs::write(&file, content(2 * MIB + 1).slice(1..)).unwrap();
    let (report, findings) = check(&registry, false, true).await;
    assert!(matches!(&findings[..], [Finding::Corrupt { known: true, .. }]), "{findings:?}");
    assert_eq!((report.recovered, report.corrupt), (0, 1));
    std::fs::rename(&away, &file).unwrap();
    for repair in [false, true] {
        let (_, findings) = check(&registry, false, repair).await;
        assert!(
            matches!(&findings[..], [Finding::Recovered { repaired, .. }] if *repaired == repair),
            "{findings:?}"
        );
        assert_eq!(pull(&registry, &repository, &digest).await.is_ok(), repair);
    }
    assert!(check(&registry, true, false).await.0.is_clean());
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), good);
}

#[tokio::test]
async fn what_refers_to_nothing_is_found() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/dangling");
    push_image(&registry, &repository, "good").await;
    let (report, findings) = check(&registry, false, false).await;
    assert_eq!((report.tags, report.links, report.is_clean()), (1, 2, true), "{findings:?}");
    // No key in the database keeps a tag or a link from naming what is not there.
    let kept = house.metadata.repository(&repository).await.unwrap().unwrap();
    let (by, now) = (berth_domain::Actor::system(), house.clock.now());
    let (digest, dangling) = (Digest::sha256(b"never pushed"), tag("dangling"));
    let mut tx = house.metadata.begin().await.unwrap();
    tx.point_tag(&kept, &dangling, &digest, &Condition::Anything, &by, now).await.unwrap();
    tx.link_blob(&kept, &digest, 12, &by, now).await.unwrap();
    tx.commit().await.unwrap();
    let (report, findings) = check(&registry, false, true).await;
    assert_eq!((report.dangling, report.is_sound(), report.is_clean()), (2, false, false));
    let expected = [
        Finding::DanglingLink { repository: repository.clone(), digest },
        Finding::DanglingTag { repository: repository.clone(), tag: dangling.clone(), digest },
    ];
    assert_eq!(findings, expected);
    // What it says to do helps.
    push(&registry, &repository, &bytes::Bytes::from_static(b"never pushed")).await;
    let caller = caller();
    registry.as_caller(&caller).delete_tag(&repository, &dangling, Condition::Anything).await.unwrap();
    let (report, findings) = check(&registry, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
}

#[tokio::test]
async fn orphans_are_listed_and_removed_when_they_are_old() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/orphans");
    push(&registry, &repository, &content(MIB)).await;
    let orphan = house.blobs().join("blobs/3f");
    std::fs::create_dir_all(&orphan).unwrap();
    std::fs::write(orphan.join("3f0c9a51e2b84d3c8a7f00112233445f"), b"orphan").unwrap();
    std::fs::write(house.blobs().join("uploads/3f0c9a51e2b84d3c8a7f001122334460"), b"unfinished").unwrap();
    let (report, _) = check(&registry, false, true).await;
    assert_eq!((report.recent, report.orphans, report.removed, report.is_clean()), (2, 0, 0, true));
    house.clock.advance(Duration::from_hours(49));
    let (report, _) = check(&registry, false, false).await;
    assert_eq!((report.orphans, report.removed), (2, 0));
    let (report, _) = check(&registry, false, true).await;
    assert_eq!((report.orphans, report.removed), (2, 2));
    assert_eq!((house.files().0.len(), house.files().1.len()), (1, 0));
    assert!(check(&registry, true, false).await.0.is_clean());
}

#[tokio::test]
async fn what_is_none_of_ours_is_listed_and_left_alone() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    push(&registry, &name("library/foreign"), &content(MIB)).await;
    let file = house.blobs().join("blobs/backup.tar");
    std::fs::write(&file, b"somebody's").unwrap();
    house.clock.advance(Duration::from_hours(49));
    let (report, findings) = check(&registry, true, true).await;
    assert_eq!(findings, [Finding::Foreign { place: file.display().to_string() }]);
    assert_eq!((report.foreign, report.removed, report.is_sound(), report.is_clean()), (1, 0, true, false));
    assert_eq!(std::fs::read(&file).unwrap(), b"somebody's");
}

#[tokio::test]
async fn an_upload_whose_bytes_are_gone_is_found() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/lost"));
    let guarded = registry.as_caller(&caller);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    guarded.write_chunk(&repository, &ticket, NEXT, body(&content(MIB))).await.unwrap();
    std::fs::remove_file(&house.files().1[0]).unwrap();
    let (report, findings) = check(&registry, false, false).await;
    assert_eq!((report.lost_uploads, report.is_sound()), (1, true));
    assert!(matches!(&findings[..], [Finding::LostUpload { id, .. }] if *id == ticket.id));
    let outcome = guarded.write_chunk(&repository, &ticket, NEXT, body(&content(MIB))).await;
    assert!(matches!(outcome, Err(berth_registry::Error::UploadUnknown)), "{outcome:?}");
}
