//! Robots: made by people and by robots.

use std::time::Duration;

use berth_access::Secret;
use berth_domain::{ActorKind, RobotId, RobotLevel, Scope};
use berth_management::{RobotFilter, WantedRobot};

use crate::house::{House, PASSWORD, first, named, permission, robot, word};

const DAY: Duration = Duration::from_hours(24);
const PULL: (&str, &str) = ("repository", "pull");
const PUSH: (&str, &str) = ("repository", "push");

fn system(name: &str, kind: &str, namespace: &str, access: &[(&str, &str)]) -> WantedRobot {
    WantedRobot {
        name: name.to_owned(),
        level: "system".to_owned(),
        permissions: vec![permission(kind, namespace, access)],
        ..WantedRobot::default()
    }
}

#[tokio::test]
async fn one_is_made_used_changed_and_deleted() {
    let house = House::new().await;
    house.project("team", false).await;
    let admin = house.management.as_caller(&house.admin);
    let made = admin.create_robot(&robot("team", "ci", &[PULL, PUSH])).await.unwrap();
    let (id, name) = (made.page.robot.id, made.page.name.as_str());
    assert_eq!((name, made.page.robot.duration), ("robot$team+ci", Some(30)));
    assert_eq!(made.page.grants[0].namespace, "team");
    assert_eq!(admin.robot(id).await.unwrap(), made.page);
    house.log_in(name, made.secret.reveal()).await.unwrap();

    let mut change = robot("team", name, &[PULL]);
    change.duration = Some(1);
    change.description = "pulls".to_owned();
    admin.update_robot(id, &change).await.unwrap();
    let page = admin.robot(id).await.unwrap();
    assert_eq!(page.robot.expires_at(), Some(page.robot.created_at.plus(DAY)), "counted from its creation");
    for (name, level) in [("robot$team+other", "project"), (name, "system")] {
        let change = WantedRobot { name: name.to_owned(), level: level.to_owned(), ..change.clone() };
        assert_eq!(word(admin.update_robot(id, &change).await), "invalid");
    }
    change.permissions[0].namespace = "library".to_owned();
    assert_eq!(word(admin.update_robot(id, &change).await), "invalid", "its project stays");

    change.permissions[0].namespace = "team".to_owned();
    change.disabled = true;
    house.clock.advance(Duration::from_secs(1));
    admin.update_robot(id, &change).await.unwrap();
    house.log_in(name, made.secret.reveal()).await.unwrap_err();
    admin.delete_robot(id).await.unwrap();
    assert_eq!(word(admin.robot(id).await), "not found");
}

#[tokio::test]
async fn a_secret_is_refreshed_or_chosen() {
    let house = House::new().await;
    house.project("team", false).await;
    let admin = house.management.as_caller(&house.admin);
    let made = admin.create_robot(&robot("team", "ci", &[PULL])).await.unwrap();
    let (id, name) = (made.page.robot.id, made.page.name.as_str());
    house.clock.advance(Duration::from_secs(1));
    let told = admin.refresh_robot(id, None).await.unwrap().unwrap();
    house.log_in(name, made.secret.reveal()).await.unwrap_err();
    house.log_in(name, told.reveal()).await.unwrap();
    assert_eq!(word(admin.refresh_robot(id, Some(Secret::new("weak"))).await), "invalid");
    assert_eq!(admin.refresh_robot(id, Some(Secret::new(PASSWORD))).await.unwrap(), None);
    house.log_in(name, PASSWORD).await.unwrap();
    house.clock.advance(31 * DAY);
    let told = admin.refresh_robot(id, None).await.unwrap().unwrap();
    house.log_in(name, told.reveal()).await.unwrap_err();
    let longer = WantedRobot { duration: Some(60), ..robot("team", "ci", &[PULL]) };
    admin.update_robot(id, &longer).await.unwrap();
    house.log_in(name, told.reveal()).await.unwrap();
}

#[tokio::test]
async fn robots_that_cannot_be() {
    let house = House::new().await;
    house.project("team", false).await;
    let admin = house.management.as_caller(&house.admin);
    let good = || robot("team", "ci", &[PULL]);
    let mut two = good();
    two.permissions.push(permission("project", "library", &[PULL]));
    let bad = [
        robot("team", "CI", &[PULL]),
        robot("team", "a+b", &[PULL]),
        robot("team", "", &[PULL]),
        robot("team", "ci", &[]),
        robot("team", "ci", &[("robot", "update")]),
        robot("team", "ci", &[("moon", "pull")]),
        robot("team", "ci", &[("repository", "fly")]),
        WantedRobot { level: "galaxy".to_owned(), ..good() },
        WantedRobot { duration: Some(-2), ..good() },
        WantedRobot { permissions: Vec::new(), ..good() },
        WantedRobot { description: "x".repeat(1025), ..good() },
        system("ci", "planet", "/", &[PULL]),
        system("ci", "system", "team", &[("catalog", "read")]),
        system("ci", "system", "/", &[PULL]),
        two,
    ];
    for wanted in bad {
        assert_eq!(word(admin.create_robot(&wanted).await), "invalid", "{wanted:?}");
    }
    assert_eq!(word(admin.create_robot(&robot("nothing", "ci", &[PULL])).await), "not found");
    assert_eq!(word(admin.create_robot(&system("ci", "project", "nothing", &[PULL])).await), "not found");
    admin.create_robot(&good()).await.unwrap();
    assert_eq!(word(admin.create_robot(&good()).await), "exists");
    admin.create_robot(&system("ci", "project", "*", &[PULL])).await.unwrap();
    let forever = WantedRobot { duration: Some(-1), ..system("old", "project", "team", &[PULL]) };
    assert_eq!(admin.create_robot(&forever).await.unwrap().page.robot.expires_at(), None);
}

#[tokio::test]
async fn who_may_make_and_see_them() {
    let house = House::new().await;
    let team = house.project("team", false).await;
    let (jane, hers) = house.user("jane").await;
    let (joe, his) = house.user("joe").await;
    house.member("team", jane, 1).await;
    house.member("team", joe, 4).await;
    let by = |caller| house.management.as_caller(caller);
    let made = by(&hers).create_robot(&robot("team", "ci", &[PULL, ("project", "delete")])).await.unwrap();
    assert_eq!(made.page.robot.creator.name, "jane");
    let id = made.page.robot.id;
    assert_eq!(word(by(&his).create_robot(&robot("team", "x", &[PULL])).await), "denied");
    assert_eq!(word(by(&his).robot(id).await), "done");
    assert_eq!(word(by(&his).delete_robot(id).await), "denied");
    assert_eq!(word(by(&hers).create_robot(&system("x", "project", "team", &[PULL])).await), "denied");
    assert_eq!(word(by(&hers).create_robot(&robot("library", "x", &[PULL])).await), "denied");
    assert_eq!(word(by(&house.nobody).create_robot(&robot("team", "x", &[PULL])).await), "log in");
    assert_eq!(word(by(&hers).robot(RobotId(4711)).await), "not found");
    assert_eq!(word(by(&house.nobody).robot(RobotId(4711)).await), "log in");
    let of = |level| RobotFilter { level, name: Vec::new(), name_like: None };
    let list = by(&his).robots(&of(RobotLevel::Project(team)), first(10)).await.unwrap();
    assert_eq!((list.items[0].name.as_str(), list.total), ("robot$team+ci", 1));
    assert_eq!(word(by(&his).robots(&of(RobotLevel::System), first(10)).await), "denied");
    assert_eq!(word(by(&house.nobody).robots(&of(RobotLevel::System), first(10)).await), "log in");
    let catalogue = by(&hers).permissions().await.unwrap();
    assert!(catalogue.system.is_none());
    assert!(by(&house.admin).permissions().await.unwrap().system.is_some());
    assert_eq!(word(by(&his).permissions().await), "denied");
}

#[tokio::test]
async fn a_robot_makes_robots_that_may_no_more_than_itself() {
    let house = House::new().await;
    house.project("team", false).await;
    house.project("other", false).await;
    let parent = house.robot("team", "parent", &[PULL, ("robot", "create"), ("robot", "read")]).await;
    let handle = house.management.as_caller(&parent);
    assert_eq!(word(handle.create_robot(&robot("team", "child", &[PUSH])).await), "exceeds");
    assert_eq!(word(handle.create_robot(&robot("other", "child", &[PULL])).await), "denied");
    let child = handle.create_robot(&robot("team", "child", &[PULL])).await.unwrap();
    assert_eq!(child.page.robot.creator.kind, ActorKind::Robot);
    assert_eq!(word(handle.robot(child.page.robot.id).await), "done");
    assert_eq!(word(handle.refresh_robot(child.page.robot.id, None).await), "denied");

    let mut maker = system("maker", "system", "/", &[("robot", "create")]);
    maker.permissions.push(permission("project", "team", &[PULL]));
    let made = house.management.as_caller(&house.admin).create_robot(&maker).await.unwrap();
    let maker = house.log_in(&made.page.name, made.secret.reveal()).await.unwrap();
    let handle = house.management.as_caller(&maker);
    for namespace in ["*", "other", "nothing"] {
        let wanted = system("wide", "project", namespace, &[PULL]);
        assert_eq!(word(handle.create_robot(&wanted).await), "exceeds", "{namespace}");
    }
    assert_eq!(word(handle.create_robot(&system("narrow", "project", "team", &[PULL])).await), "done");
}

#[tokio::test]
async fn a_robot_hands_on_nothing_that_comes_with_a_right_elsewhere_only() {
    const DELETE: (&str, &str) = ("repository", "delete");
    const MAKE: (&str, &str) = ("robot", "create");
    let house = House::new().await;
    house.project("team", false).await;
    let admin = house.management.as_caller(&house.admin);
    for (at, (given, level, wanted, expected)) in [
        // At the level of a project, pulling comes with pushing; at that of the installation it does not.
        (vec![PUSH], "project", PUSH, "exceeds"),
        (vec![PUSH], "system", PUSH, "done"),
        (vec![PUSH, PULL], "project", PUSH, "done"),
        // Deleting what is in a repository comes with deleting it, at both.
        (vec![("artifact", "delete"), ("tag", "delete")], "project", DELETE, "exceeds"),
        (vec![DELETE], "project", DELETE, "done"),
        (vec![DELETE], "project", ("artifact", "delete"), "done"),
        (vec![DELETE], "system", ("tag", "delete"), "done"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut maker = system(&format!("maker-{at}"), "system", "/", &[MAKE]);
        maker.permissions.push(permission("project", "team", &[given.as_slice(), &[MAKE]].concat()));
        let made = admin.create_robot(&maker).await.unwrap();
        let maker = house.log_in(&made.page.name, made.secret.reveal()).await.unwrap();
        let handle = house.management.as_caller(&maker);
        let child = robot("team", &format!("child-{at}"), &[wanted]);
        let child = WantedRobot { level: level.to_owned(), ..child };
        assert_eq!(word(handle.create_robot(&child).await), expected, "{wanted:?} at {level} by {given:?}");
    }
}

#[tokio::test]
async fn no_robot_changes_a_robot_whatever_it_was_given() {
    let house = House::new().await;
    house.project("team", false).await;
    let everything =
        Scope::Project.catalogue().iter().map(|one| (one.resource.as_str(), one.action.as_str()));
    let strongest = house.robot("team", "strongest", &everything.collect::<Vec<_>>()).await;
    let handle = house.management.as_caller(&strongest);
    let child = handle.create_robot(&robot("team", "child", &[PULL])).await.unwrap().page.robot.id;
    assert_eq!(word(handle.update_robot(child, &robot("team", "child", &[PULL])).await), "denied");
    assert_eq!(word(handle.refresh_robot(child, None).await), "denied");
    assert_eq!(word(handle.delete_robot(child).await), "done");
}

#[tokio::test]
async fn a_grant_in_a_project_that_is_gone_is_not_shown() {
    let house = House::new().await;
    house.project("team", false).await;
    let admin = house.management.as_caller(&house.admin);
    let mut wanted = system("all", "project", "team", &[PULL]);
    wanted.permissions.push(permission("project", "library", &[PULL]));
    let made = admin.create_robot(&wanted).await.unwrap();
    assert_eq!(made.page.grants.len(), 2);
    admin.delete_project(&named("team")).await.unwrap();
    let page = admin.robot(made.page.robot.id).await.unwrap();
    assert_eq!(page.grants.iter().map(|grant| grant.namespace.as_str()).collect::<Vec<_>>(), ["library"]);
}
