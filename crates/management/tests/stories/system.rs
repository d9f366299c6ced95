//! What the installation says of itself, and what callers may do.

use std::time::Duration;

use berth_access::Caller;
use berth_domain::{Action, Resource};

use crate::house::{House, anonymous, word};

#[tokio::test]
async fn strangers_are_told_little() {
    let house = House::new().await;
    let little = house.management.as_caller(&anonymous()).system_info().await.unwrap();
    assert!(!little.self_registration && little.details.is_none());
    let much = house.management.as_caller(&house.admin).system_info().await.unwrap().details.unwrap();
    assert!(much.users_create_projects && !much.version.is_empty());
}

#[tokio::test]
async fn components_are_asked_once_a_second_whoever_asks() {
    let house = House::new().await;
    let unwell = async |caller: &Caller| {
        let health = house.management.as_caller(caller).health().await;
        let names: Vec<_> = health.iter().map(|component| component.name).collect();
        assert_eq!(names, ["core", "database", "registry"]);
        health
            .into_iter()
            .filter(|component| component.error.is_some())
            .map(|one| one.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(unwell(&house.nobody).await, [""; 0]);
    house.lose_storage();
    assert_eq!(unwell(&house.admin).await, [""; 0], "that is what was found a moment ago");
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(unwell(&house.nobody).await, ["registry"]);
}

#[tokio::test]
async fn callers_see_what_they_may() {
    let house = House::new().await;
    let team = house.project("team", false).await;
    let (id, jane) = house.user("jane").await;
    house.member("team", id, 3).await;
    let hers = house.management.as_caller(&jane);
    let may = hers.current_permissions(&format!("/project/{}", team.0)).await.unwrap();
    let has = |action| may.iter().any(|one| one.resource == Resource::Repository && one.action == action);
    assert!(has(Action::Pull) && !has(Action::Push));
    let admin = house.management.as_caller(&house.admin);
    assert_eq!(admin.current_permissions("/system").await.unwrap().len(), 70);
    for nothing in ["", "/project/4711", "/project/x", "/galaxy"] {
        assert_eq!(admin.current_permissions(nothing).await.unwrap(), [], "{nothing}");
    }
    assert_eq!(word(house.management.as_caller(&anonymous()).current_permissions("").await), "log in");
}
