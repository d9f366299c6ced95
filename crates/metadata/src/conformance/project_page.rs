//! Projects' pages.

use berth_domain::{ProjectId, ProjectMetadataKey as Key, RoleId, UserId};

use super::access::{named, project_of, user};
use super::scene::{Scene, at, begin, image, somebody};
use crate::project_page::{ProjectFilter, ProjectOrder, Visibility};
use crate::{Added, Metadata, Window};

pub(super) async fn a_page_tells_all(metadata: &dyn Metadata) {
    let owner = user(metadata, "owner").await;
    let id = project_of(metadata, "paged", false, owner).await;
    let mut tx = begin(metadata).await;
    let taken = tx.add_project(&named("paged"), true, owner, None, &somebody(), at(2)).await;
    assert_eq!(taken.expect("an answer"), Added::Exists);
    let project = tx.lock_project(id).await.expect("an answer").expect("a project");
    for name in ["paged/a", "paged/without-manifest"] {
        let name = name.parse().expect("a name");
        tx.ensure_repository(&project, &name, &somebody(), at(2)).await.expect("one");
    }
    assert!(!tx.set_project_metadata(id, Key::Severity, Some("high"), at(3)).await.expect("an answer"));
    assert!(tx.set_project_metadata(id, Key::Severity, Some("low"), at(3)).await.expect("an answer"));
    assert!(!tx.set_project_metadata(id, Key::AutoScan, Some("true"), at(3)).await.expect("an answer"));
    assert!(!tx.set_project_metadata(id, Key::PreventVul, Some("true"), at(3)).await.expect("an answer"));
    assert!(tx.set_project_metadata(id, Key::PreventVul, None, at(3)).await.expect("an answer"));
    assert!(!tx.set_project_metadata(id, Key::PreventVul, None, at(3)).await.expect("an answer"));
    assert!(tx.set_project_metadata(id, Key::Public, Some("true"), at(4)).await.expect("an answer"));
    tx.set_project_storage_limit(id, Some(1 << 40), at(5)).await.expect("a limit");
    tx.commit().await.expect("a commit");
    Scene::within(metadata, "paged", "a").await.push(&image("c", &[], None, None), &[]).await;

    let page = metadata.project_page(id, Some(owner)).await.expect("an answer").expect("a page");
    assert_eq!((page.project.id, &page.project.name, page.project.public), (id, &named("paged"), true));
    assert_eq!((page.owner, &*page.owner_name, page.updated_at), (owner, "owner", at(5)));
    let settings = [(Key::AutoScan, "true".to_owned()), (Key::Severity, "low".to_owned())];
    assert_eq!(page.metadata, settings);
    assert_eq!((page.repositories, page.storage_limit), (1, Some(1 << 40)));
    assert_eq!(page.roles, [RoleId::PROJECT_ADMIN]);
    let seen_by_none = metadata.project_page(id, None).await.expect("an answer").expect("a page");
    assert_eq!(seen_by_none.roles, []);
    assert_eq!(metadata.project_by_id(id).await.expect("an answer"), Some(page.project));
    let library = metadata.project_page(ProjectId(1), None).await.expect("an answer").expect("a page");
    assert_eq!((library.owner, library.updated_at), (UserId::ADMIN, library.project.created_at));
    assert_eq!(metadata.project_page(ProjectId(i64::MAX), None).await.expect("an answer"), None);
}

pub(super) async fn lists_show_what_is_visible(metadata: &dyn Metadata) {
    let (mine, other) = (user(metadata, "seeing").await, user(metadata, "seeing too").await);
    let open = project_of(metadata, "seen-c", true, other).await;
    let own = project_of(metadata, "seen-b", false, mine).await;
    let closed = project_of(metadata, "seen-a", false, other).await;
    let list = async |visible: Visibility, change: fn(&mut ProjectFilter), descending| {
        let name_like = Some("SEEN-".to_owned());
        let mut filter = ProjectFilter { visible, name_like, ..ProjectFilter::default() };
        change(&mut filter);
        let window = Window { order: ProjectOrder::Name, descending, offset: 0, limit: 9 };
        let pages = metadata.project_pages(&filter, Some(mine), window).await.expect("a list");
        let count = metadata.count_projects(&filter).await.expect("a count");
        assert_eq!(count, pages.len() as u64);
        pages.iter().map(|page| page.project.id).collect::<Vec<_>>()
    };
    let same: fn(&mut ProjectFilter) = |_| ();
    assert_eq!(list(Visibility::Public, same, false).await, [open]);
    assert_eq!(list(Visibility::User(mine), same, false).await, [own, open]);
    assert_eq!(list(Visibility::User(other), same, true).await, [open, closed]);
    assert_eq!(list(Visibility::Projects(vec![closed]), same, false).await, [closed, open]);
    assert_eq!(list(Visibility::All, same, false).await, [closed, own, open]);
    assert_eq!(list(Visibility::All, |f| f.public = Some(false), false).await, [closed, own]);
    assert_eq!(list(Visibility::All, |f| f.owner = vec!["seeing".to_owned()], false).await, [own]);
    assert_eq!(list(Visibility::All, |f| f.name = vec!["seen-a".to_owned()], false).await, [closed]);
    let any = |f: &mut ProjectFilter| f.name = ["seen-c", "seen-a", "see"].map(str::to_owned).to_vec();
    assert_eq!(list(Visibility::All, any, false).await, [closed, open]);
    assert_eq!(list(Visibility::Public, any, false).await, [open], "only of what is visible");
}
