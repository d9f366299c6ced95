//! What the database keeps although it follows from something else: compared, and put right, beside a registry that is used.

use berth_domain::{Actor, Clock as _};
use berth_metadata::{Metadata as _, NewManifest, RepositoryReads as _};
use berth_oci::{Digest, Manifest};
use berth_registry::fsck::{Counted, Finding, Options, Report};
use berth_registry::{Condition, Registry};

use crate::house::{House, caller, content, name, push};
use crate::manifests::{image, push_image, push_to, tag};

async fn check(registry: &Registry, deep: bool, repair: bool) -> (Report, Vec<Finding>) {
    let mut findings = Vec::new();
    let options = Options { deep, repair };
    let report = registry.fsck(options, &mut |finding| findings.push(finding.clone())).await.unwrap();
    (report, findings)
}

fn put_right(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    if let Finding::Miscounted { repaired, .. } | Finding::Misindexed { repaired, .. } = &mut finding {
        *repaired = true;
    }
    finding
}

#[tokio::test]
async fn what_follows_from_something_else_is_compared_and_derived_again() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/kept");
    push_image(&registry, &repository, "1").await;
    let elsewhere = name("other/kept");
    push_image(&registry, &elsewhere, "1").await;
    let (report, findings) = check(&registry, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
    // Whoever writes may say that a link is another project's and that a blob has another size.
    let kept = house.metadata.repository(&repository).await.unwrap().unwrap();
    let other = house.metadata.repository(&elsewhere).await.unwrap().unwrap();
    let lie = berth_domain::Repository { project_id: other.project_id, ..kept.clone() };
    let (by, now) = (Actor::system(), house.clock.now());
    let (wrong, sized) = (content(3000), content(4000));
    let digests = [Digest::sha256(&wrong), Digest::sha256(&sized)];
    push(&registry, &name("library/blobs"), &wrong).await;
    push(&registry, &name("library/blobs"), &sized).await;
    let mut tx = house.metadata.begin().await.unwrap();
    tx.link_blob(&lie, &digests[0], 3000, &by, now).await.unwrap();
    tx.link_blob(&other, &digests[1], 1, &by, now).await.unwrap();
    tx.commit().await.unwrap();

    let project = |name: &str| name.parse::<berth_oci::ProjectName>().unwrap();
    let miscounted = |what, kept, actual| Finding::Miscounted { what, kept, actual, repaired: false };
    let links = |name, digest| Counted::Links { project: project(name), digest };
    let expected = [
        miscounted(links("library", digests[0]), 1, 2),
        miscounted(links("other", digests[0]), 1, 0),
        miscounted(Counted::Size { project: project("other"), digest: digests[1] }, 1, 4000),
        miscounted(Counted::Bytes(project("other")), 30 + 3000 + 1, 30 + 4000),
    ];
    let (report, findings) = check(&registry, false, false).await;
    assert_eq!((report.inconsistent, report.repaired, report.is_sound()), (4, 0, false));
    assert!(findings.len() == 4 && expected.iter().all(|one| findings.contains(one)), "{findings:?}");
    let (report, findings) = check(&registry, false, true).await;
    assert_eq!((report.inconsistent, report.repaired), (4, 4));
    assert!(expected.iter().all(|one| findings.contains(&put_right(one))), "{findings:?}");
    let (report, findings) = check(&registry, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
}

#[tokio::test]
async fn the_rows_of_a_manifest_are_what_its_bytes_say_after_a_deep_repair() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/rows");
    push_image(&registry, &repository, "1").await;
    let kept = house.metadata.repository(&repository).await.unwrap().unwrap();
    let (bytes, other) =
        (image(&content(10), &content(20), "wrong rows"), image(&content(10), &content(21), ""));
    let manifest = Manifest::parse(&other, None).unwrap();
    let digest = Digest::sha256(&bytes);
    let misread = NewManifest { digest, content: &bytes, manifest: &manifest };
    let mut tx = house.metadata.begin().await.unwrap();
    tx.add_manifest(&kept, &misread, &Actor::system(), house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let differs = "1 references are missing; 1 references are none of its".to_owned();
    let expected = Finding::Misindexed { repository: repository.clone(), digest, differs, repaired: false };
    assert!(check(&registry, false, true).await.0.is_clean(), "only a deep check reads manifests");
    assert_eq!(check(&registry, true, false).await.1, std::slice::from_ref(&expected));
    let (report, findings) = check(&registry, true, true).await;
    assert_eq!((report.inconsistent, report.repaired, findings), (1, 1, vec![put_right(&expected)]));
    let (report, findings) = check(&registry, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
    // The layer can be taken out only now that the manifest that needs it is known to.
    let caller = caller();
    let guarded = registry.as_caller(&caller);
    let refused = guarded.delete_blob(&repository, &Digest::sha256(&content(20))).await;
    assert!(matches!(refused, Err(berth_registry::Error::BlobInUse(_))), "{refused:?}");
}

/// Images come and go until there is nothing more to do.
async fn come_and_go(registry: &Registry, repository: &str, rounds: usize) {
    let repository = name(repository);
    let caller = caller();
    for round in 0..rounds {
        let (config, layer) = (content(10 + round % 3), content(20_000 + round));
        push(registry, &repository, &config).await;
        push(registry, &repository, &layer).await;
        let manifest = image(&config, &layer, &round.to_string());
        let pushed = push_to(registry, &repository, "1", &manifest, Condition::Anything).await.unwrap();
        let guarded = registry.as_caller(&caller);
        match round % 4 {
            1 => drop(guarded.delete_manifest(&repository, &pushed.digest).await.unwrap()),
            2 => drop(guarded.delete_tag(&repository, &tag("1"), Condition::Anything).await.unwrap()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_house_that_is_pushed_to_gives_no_finding() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let pushing = async {
        let repositories = ["library/busy", "library/busier", "other/busy"];
        let all = repositories.map(|repository| come_and_go(&registry, repository, 40));
        futures::future::join_all(all).await;
    };
    let checking = async {
        for (round, repair) in [false, true].into_iter().cycle().take(20).enumerate() {
            let (report, mut findings) = check(&registry, true, repair).await;
            findings.retain(|finding| !matches!(finding, Finding::Recent { .. }));
            assert_eq!(findings, [], "round {round}, {report:?}");
        }
    };
    futures::future::join(pushing, checking).await;
    let (report, findings) = check(&registry, true, false).await;
    assert!(report.is_clean(), "{findings:?}");
}
