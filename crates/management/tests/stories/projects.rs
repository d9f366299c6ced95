//! Projects, their settings, and the search.

use berth_cache::Key as CacheKey;
use berth_domain::{
    Actor, DeletionId, Entropy as _, ProjectId, ProjectMetadataKey as Key, RoleId, SystemEntropy, UserId,
};
use berth_management::{ManagementSettings, NewProject, ProjectFilter, ProjectPage};
use berth_metadata::{Deletion, NewManifest};
use berth_oci::{Digest, Manifest};

use crate::house::{House, anonymous, first, named, permission, word};

fn wanted(name: &str) -> NewProject {
    NewProject { name: name.to_owned(), ..NewProject::default() }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_project_is_made_changed_and_deleted_by_its_owner() {
    let house = House::new().await;
    let (id, jane) = house.user("jane").await;
    let handle = house.management.as_caller(&jane);
    let mut project = wanted("team");
    project.metadata = pairs(&[("public", "True"), ("severity", "High"), ("not-a-key", "x")]);
    project.storage_limit = Some(7);
    assert_eq!(handle.create_project(&project).await.unwrap(), ProjectId(2));
    assert_eq!(word(handle.create_project(&project).await), "exists");
    let page = handle.project(&named("2")).await.unwrap();
    assert_eq!((page.project.name.as_str(), page.project.public, page.owner), ("team", true, id));
    assert_eq!(page.storage_limit, None, "only who may set quotas sets one");
    assert_eq!(page.metadata, [(Key::Severity, "high".to_owned())]);
    assert_eq!(page.roles, [RoleId::PROJECT_ADMIN]);
    handle.update_project(&named("team"), &pairs(&[("public", "false")])).await.unwrap();
    assert!(!handle.project(&named("team")).await.unwrap().project.public);
    assert_eq!(word(handle.set_storage_limit(&named("team"), 1 << 30).await), "denied");
    let admin = house.management.as_caller(&house.admin);
    admin.set_storage_limit(&named("team"), 1 << 30).await.unwrap();
    assert_eq!(word(admin.set_storage_limit(&named("team"), -2).await), "invalid");
    let summary = handle.project_summary(&named("team")).await.unwrap();
    assert_eq!(summary.quota.unwrap().limit, Some(1 << 30));
    assert_eq!(summary.members.unwrap(), [(RoleId::PROJECT_ADMIN, 1)]);
    assert_eq!(handle.project_deletable(&named("team")).await.unwrap(), None);
    handle.delete_project(&named("team")).await.unwrap();
    assert_eq!(word(admin.project(&named("team")).await), "not found");
    assert!(handle.create_project(&wanted("team")).await.unwrap() > ProjectId(2));
}

#[tokio::test]
async fn what_is_not_there_looks_like_what_one_may_not_see() {
    let house = House::new().await;
    house.project("hidden", false).await;
    let (_, stranger) = house.user("stranger").await;
    let by = |caller| house.management.as_caller(caller);
    for project in ["hidden", "nothing", "2", "4711", "No Name!"] {
        let said = |outcome: berth_management::Result<ProjectPage>| outcome.unwrap_err().to_string();
        let one = said(by(&stranger).project(&named(project)).await);
        assert_eq!(one, said(by(&stranger).project(&named("hidden")).await), "{project}");
        assert_eq!(word(by(&stranger).project(&named(project)).await), "denied", "{project}");
        assert_eq!(word(by(&house.nobody).project(&named(project)).await), "log in", "{project}");
    }
    assert_eq!(word(by(&house.admin).project(&named("nothing")).await), "not found");
    assert_eq!(word(by(&house.admin).project(&named("4711")).await), "not found");
    assert_eq!(word(by(&stranger).project(&named("library")).await), "done");
    for (name, taken) in [("hidden", "done"), ("library", "done"), ("nothing", "not found")] {
        assert_eq!(word(by(&stranger).project_exists(&named(name)).await), taken, "{name}");
        assert_eq!(word(by(&house.nobody).project_exists(&named(name)).await), "log in", "{name}");
    }
}

#[tokio::test]
async fn a_project_goes_when_no_repository_has_a_manifest() {
    let house = House::new().await;
    house.project("team", false).await;
    let (by, content) = (Actor::system(), br#"{"schemaVersion":2,"manifests":[]}"#);
    let (digest, manifest) = (Digest::sha256(content), Manifest::parse(content, None).unwrap());
    let mut tx = house.metadata.begin().await.unwrap();
    let project = tx.lock_project(ProjectId(2)).await.unwrap().unwrap();
    let at = project.created_at;
    let name = "team/x".parse().unwrap();
    let repository = tx.ensure_repository(&project, &name, &by, at).await.unwrap();
    tx.commit().await.unwrap();
    let admin = house.management.as_caller(&house.admin);
    let agreed = async |repositories: u64| {
        let page = admin.project(&named("team")).await.unwrap();
        let summary = admin.project_summary(&named("team")).await.unwrap();
        assert_eq!((page.repositories, summary.repositories), (repositories, repositories));
        let deletable = admin.project_deletable(&named("team")).await.unwrap().is_none();
        assert_eq!(deletable, repositories == 0);
    };
    agreed(0).await;
    let mut tx = house.metadata.begin().await.unwrap();
    let new = NewManifest { digest, content: &content.to_vec().into(), manifest: &manifest };
    tx.add_manifest(&repository, &new, &by, at).await.unwrap();
    tx.commit().await.unwrap();
    agreed(1).await;
    assert_eq!(word(admin.delete_project(&named("team")).await), "precondition");
    agreed(1).await;
    let deletion = Deletion { id: DeletionId(SystemEntropy.uuid()), by: by.clone(), at };
    let mut tx = house.metadata.begin().await.unwrap();
    assert!(tx.delete_manifest(&repository, &digest, &deletion).await.unwrap().is_some());
    tx.commit().await.unwrap();
    agreed(0).await;
    // What the registry remembers of the repository is forgotten with it.
    let key = CacheKey::repository("team/x");
    house.cache.put(key.clone(), "its numbers".into(), house.cache.stamp(&key)).await;
    admin.delete_project(&named("team")).await.unwrap();
    assert_eq!(house.cache.get(&key).await, None);
    assert_eq!(word(admin.project(&named("team")).await), "not found");
    assert_eq!(house.metadata.repository(&name).await.unwrap(), None);
}

#[tokio::test]
async fn who_may_make_projects() {
    let house = House::with(ManagementSettings::default(), false).await;
    let (_, jane) = house.user("jane").await;
    let by = |caller| house.management.as_caller(caller);
    assert_eq!(word(by(&jane).create_project(&wanted("team")).await), "denied");
    assert_eq!(word(by(&house.nobody).create_project(&wanted("team")).await), "log in");
    assert_eq!(word(by(&house.admin).create_project(&wanted("te am")).await), "invalid");
    house.project("team", false).await;
    let robot = house.robot("team", "ci", &[("repository", "pull")]).await;
    assert_eq!(word(by(&robot).create_project(&wanted("other")).await), "denied");
    let mut system = crate::house::robot("", "maker", &[]);
    system.level = "system".to_owned();
    system.permissions = vec![permission("system", "/", &[("project", "create")])];
    let made = by(&house.admin).create_robot(&system).await.unwrap();
    let maker = house.log_in(&made.page.name, made.secret.reveal()).await.unwrap();
    let id = by(&maker).create_project(&wanted("other")).await.unwrap();
    let page = by(&house.admin).project(&named(&id.0.to_string())).await.unwrap();
    assert_eq!(page.owner, UserId::ADMIN, "what a robot makes belongs to the first administrator");
}

#[tokio::test]
async fn lists_and_searches_show_what_one_may_see() {
    let house = House::new().await;
    let (jane_id, jane) = house.user("jane").await;
    for (name, public) in [("open", true), ("hers", false), ("hidden", false)] {
        house.project(name, public).await;
    }
    house.member("hers", jane_id, 5).await;
    let robot = house.robot("hidden", "ci", &[("repository", "list")]).await;
    let names = async |caller: &_, filter: ProjectFilter| {
        let handle = house.management.as_caller(caller);
        let list = handle.projects(&filter, first(10)).await.unwrap();
        let names: Vec<_> = list.items.iter().map(|page| page.project.name.to_string()).collect();
        assert_eq!(names.len() as u64, list.total);
        names
    };
    let all = ProjectFilter::default();
    assert_eq!(names(&house.admin, all.clone()).await, ["library", "open", "hers", "hidden"]);
    assert_eq!(names(&jane, all.clone()).await, ["library", "open", "hers"]);
    assert_eq!(names(&robot, all.clone()).await, ["library", "open", "hidden"]);
    assert_eq!(names(&anonymous(), all).await, ["library", "open"]);
    let closed = ProjectFilter { public: Some(false), ..ProjectFilter::default() };
    assert_eq!(names(&anonymous(), closed).await, [""; 0]);
    let found = house.management.as_caller(&jane).search("H").await.unwrap();
    let names: Vec<_> = found.projects.iter().map(|page| page.project.name.as_str()).collect();
    assert_eq!((names, found.repositories.len()), (vec!["hers"], 0));
}

#[tokio::test]
async fn settings_come_change_and_go() {
    let house = House::new().await;
    house.project("team", false).await;
    let (id, jane) = house.user("jane").await;
    house.member("team", id, 2).await;
    let team = named("team");
    let admin = house.management.as_caller(&house.admin);
    admin.add_setting(&team, "auto_scan", "True").await.unwrap();
    assert_eq!(word(admin.add_setting(&team, "auto_scan", "true").await), "exists");
    assert_eq!(word(admin.add_setting(&team, "public", "true").await), "exists");
    assert!(!admin.project(&team).await.unwrap().project.public, "what was refused did not happen");
    assert_eq!(word(admin.update_setting(&team, "severity", "low").await), "not found");
    for (key, value) in [("auto_scan", "perhaps"), ("unknown", "true"), ("retention_id", "1")] {
        assert_eq!(word(admin.update_setting(&team, key, value).await), "invalid");
    }
    admin.update_setting(&team, "auto_scan", "false").await.unwrap();
    assert_eq!(admin.setting(&team, "auto_scan").await.unwrap(), (Key::AutoScan, "false".to_owned()));
    let all = [(Key::Public, "false".to_owned()), (Key::AutoScan, "false".to_owned())];
    assert_eq!(admin.settings(&team).await.unwrap(), all);
    admin.delete_setting(&team, "auto_scan").await.unwrap();
    assert_eq!(word(admin.delete_setting(&team, "auto_scan").await), "not found");
    assert_eq!(word(admin.setting(&team, "auto_scan").await), "not found");
    assert_eq!(word(house.management.as_caller(&jane).settings(&team).await), "denied");
}
