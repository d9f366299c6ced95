//! Robots.

use std::time::Duration;

use berth_domain::{Action, PermissionSet, ProjectId, Resource, RobotGrant, RobotId, RobotLevel, RobotScope};

use super::access::{added, named, new_robot, project, whole};
use super::scene::{at, begin, somebody};
use crate::robot::{NewRobot, RobotChange, RobotFilter, RobotOrder};
use crate::{Added, Metadata, Window};

fn grant(scope: RobotScope, actions: &[Action]) -> RobotGrant {
    RobotGrant { scope, access: PermissionSet::on_one(Resource::Repository, actions) }
}

async fn make(metadata: &dyn Metadata, robot: &NewRobot) -> RobotId {
    let mut tx = begin(metadata).await;
    let id = added(tx.add_robot(robot, at(10)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    id
}

pub(super) async fn a_robot_comes_back_as_it_was_made(metadata: &dyn Metadata) {
    let project = project(metadata, "machines").await;
    let grants = vec![
        grant(RobotScope::System, &[Action::List]),
        grant(RobotScope::AllProjects, &[Action::Pull]),
        grant(RobotScope::Project(project), &[Action::Pull, Action::Push]),
    ];
    let new = NewRobot { grants: grants.clone(), ..new_robot("builder", RobotLevel::System) };
    let id = make(metadata, &new).await;
    let found = metadata.robot(id).await.expect("an answer").expect("a robot");
    assert_eq!((&*found.robot.name, found.robot.level), ("builder", RobotLevel::System));
    assert_eq!((found.robot.duration, found.robot.disabled), (Some(30), false));
    assert_eq!((&found.robot.grants, &found.robot.creator), (&grants, &somebody()));
    assert_eq!((found.robot.valid_after, found.robot.created_at), (at(10), at(10)));
    assert_eq!((found.robot.last_used_at, &*found.secret, &found.project), (None, "kept", &None));
    assert_eq!(metadata.robot_by_login(None, "builder").await.expect("an answer"), Some(found));
    let standing = metadata.robot_standing(id).await.expect("an answer").expect("a robot");
    assert_eq!(standing.expires_at, Some(at(10).plus(Duration::from_hours(24 * 30))));
    assert_eq!((standing.disabled, standing.valid_after, standing.grants), (false, at(10), grants));
    assert_eq!(metadata.robot_standing(RobotId(i64::MAX)).await.expect("an answer"), None);
}

pub(super) async fn names_are_unique_on_a_level(metadata: &dyn Metadata) {
    let (one, two) = (project(metadata, "level-one").await, project(metadata, "level-two").await);
    let system = make(metadata, &new_robot("same", RobotLevel::System)).await;
    let first = make(metadata, &new_robot("same", RobotLevel::Project(one))).await;
    let second = make(metadata, &new_robot("same", RobotLevel::Project(two))).await;
    let mut tx = begin(metadata).await;
    let taken = tx.add_robot(&new_robot("same", RobotLevel::Project(one)), at(0)).await;
    assert_eq!(taken.expect("an answer"), Added::Exists);
    drop(tx);
    let by_login = async |project: Option<&str>, name: &str| {
        let project = project.map(named);
        let found = metadata.robot_by_login(project.as_ref(), name).await.expect("an answer");
        found.map(|found| (found.robot.id, found.project))
    };
    assert_eq!(by_login(None, "same").await, Some((system, None)));
    assert_eq!(by_login(Some("level-one"), "same").await, Some((first, Some(named("level-one")))));
    assert_eq!(by_login(Some("level-two"), "same").await, Some((second, Some(named("level-two")))));
    assert_eq!(by_login(Some("no-such-level"), "same").await, None);
    assert_eq!(by_login(None, "sa\0me").await, None);
}

pub(super) async fn changes_move_what_is_valid(metadata: &dyn Metadata) {
    let id = make(metadata, &new_robot("changed", RobotLevel::System)).await;
    let read = async || metadata.robot(id).await.expect("an answer").expect("a robot");
    let change = async |disabled: bool, n: i64| {
        let grants = vec![grant(RobotScope::AllProjects, &[Action::Pull])];
        let change = RobotChange { description: format!("at {n}"), duration: None, disabled, grants };
        let mut tx = begin(metadata).await;
        assert!(tx.change_robot(id, &change, at(n)).await.expect("an answer"));
        tx.commit().await.expect("a commit");
        read().await.robot
    };
    let found = change(false, 20).await;
    assert_eq!((found.valid_after, found.updated_at, found.duration), (at(10), at(20), None));
    assert_eq!((&*found.description, found.grants.len()), ("at 20", 1));
    assert_eq!(change(true, 30).await.valid_after, at(30));
    assert_eq!(change(true, 40).await.valid_after, at(30));
    assert_eq!(change(false, 50).await.valid_after, at(30));

    let mut tx = begin(metadata).await;
    assert!(tx.set_robot_secret(id, "second", at(60)).await.expect("an answer"));
    assert!(!tx.rehash_robot_secret(id, "kept", "lost").await.expect("an answer"));
    assert!(tx.rehash_robot_secret(id, "second", "newer").await.expect("an answer"));
    let uses = [(id, at(80)), (id, at(90)), (id, at(70)), (RobotId(i64::MAX), at(99))];
    tx.record_robot_uses(&uses).await.expect("recorded");
    tx.record_robot_uses(&[(id, at(85))]).await.expect("recorded");
    tx.record_robot_uses(&[]).await.expect("recorded");
    tx.commit().await.expect("a commit");
    let found = read().await;
    assert_eq!((&*found.secret, found.robot.valid_after), ("newer", at(60)));
    assert_eq!(found.robot.last_used_at, Some(at(90)));

    let mut tx = begin(metadata).await;
    assert!(tx.delete_robot(id).await.expect("an answer"));
    assert!(!tx.delete_robot(id).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.robot(id).await.expect("an answer"), None);
    let again = make(metadata, &new_robot("changed", RobotLevel::System)).await;
    assert!(again > id);
    assert_eq!(metadata.robot(again).await.expect("an answer").expect("a robot").robot.grants, []);
}

pub(super) async fn an_earlier_clock_ends_what_was_before(metadata: &dyn Metadata) {
    let id = make(metadata, &new_robot("time-traveller", RobotLevel::System)).await;
    let valid_after =
        async || metadata.robot(id).await.expect("an answer").expect("a robot").robot.valid_after;
    let switch =
        |disabled| RobotChange { description: String::new(), duration: None, disabled, grants: Vec::new() };
    let mut before = valid_after().await;
    // Forward, at the same moment, and from a clock that is behind.
    for moment in [100, 100, 40, 40] {
        for switched in [false, true] {
            let mut tx = begin(metadata).await;
            let there = if switched {
                tx.change_robot(id, &switch(false), at(moment)).await.expect("an answer");
                tx.change_robot(id, &switch(true), at(moment)).await
            } else {
                tx.set_robot_secret(id, "another", at(moment)).await
            };
            assert!(there.expect("an answer"));
            tx.commit().await.expect("a commit");
            let after = valid_after().await;
            assert!(after > before, "{after:?} is not after {before:?}");
            before = after;
        }
    }
}

pub(super) async fn lists_are_of_one_level(metadata: &dyn Metadata) {
    let project = project(metadata, "listed-machines").await;
    let level = RobotLevel::Project(project);
    for name in ["b", "a", "abc"] {
        make(metadata, &new_robot(name, level)).await;
    }
    let names = async |filter: &RobotFilter, order, descending, offset| {
        let window = Window { order, descending, offset, limit: 2 };
        let robots = metadata.robots(filter, window).await.expect("a list");
        robots.into_iter().map(|robot| robot.name).collect::<Vec<_>>()
    };
    let all = RobotFilter { level, name: Vec::new(), name_like: None };
    assert_eq!(names(&all, RobotOrder::Id, false, 0).await, ["b", "a"]);
    assert_eq!(names(&all, RobotOrder::Name, false, 1).await, ["abc", "b"]);
    assert_eq!(names(&all, RobotOrder::CreatedAt, true, 0).await, ["abc", "a"]);
    assert_eq!(metadata.count_robots(&all).await.expect("a count"), 3);
    let some = RobotFilter { name_like: Some("B".to_owned()), ..all.clone() };
    assert_eq!(names(&some, RobotOrder::Id, false, 0).await, ["b", "abc"]);
    let one = RobotFilter { name: vec!["a".to_owned()], ..all.clone() };
    assert_eq!(metadata.count_robots(&one).await.expect("a count"), 1);
    let any = ["abc", "nobody", "b", "b"].map(str::to_owned).to_vec();
    assert_eq!(
        names(&RobotFilter { name: any, ..all.clone() }, RobotOrder::Id, false, 0).await,
        ["b", "abc"]
    );
    let nowhere = RobotFilter { level: RobotLevel::Project(ProjectId(i64::MAX)), ..all.clone() };
    assert_eq!(metadata.robots(&nowhere, whole()).await.expect("a list"), []);
    let mut tx = begin(metadata).await;
    assert_eq!(tx.delete_robots_of(project).await.expect("a count"), 3);
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.count_robots(&all).await.expect("a count"), 0);
}
