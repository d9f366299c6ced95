//! What robots can be called, and what they can be given.

use super::*;

fn set(resource: Resource, actions: &[Action]) -> PermissionSet {
    actions.iter().map(|&action| Permission { resource, action }).collect()
}

fn pull(scope: RobotScope) -> RobotGrant {
    RobotGrant { scope, access: set(Resource::Repository, &[Action::Pull]) }
}

fn push(scope: RobotScope) -> RobotGrant {
    RobotGrant { scope, access: set(Resource::Repository, &[Action::Push]) }
}

const ONE: RobotScope = RobotScope::Project(ProjectId(1));
const TWO: RobotScope = RobotScope::Project(ProjectId(2));

#[test]
fn log_in_names_are_read_and_written() {
    for (login, project, name) in [
        ("robot$ci", None, "ci"),
        ("robot$library+ci", Some("library"), "ci"),
        ("robot$my.proj-x+ci_1", Some("my.proj-x"), "ci_1"),
    ] {
        let read = RobotLogin::parse("robot$", login).unwrap();
        assert_eq!((read.project.as_ref().map(ProjectName::as_str), read.name.as_str()), (project, name));
        assert_eq!(read.render("robot$"), login);
    }
    for no_robot in [
        "",
        "ci",
        "robot$",
        "robot$+ci",
        "robot$library+",
        "robot$a+b+c",
        "robot$CI",
        "robot$a b",
        "Robot$ci",
    ] {
        assert_eq!(RobotLogin::parse("robot$", no_robot), None, "{no_robot}");
    }
    assert_eq!(RobotLogin::parse("bot_", "bot_library+ci").unwrap().render("robot$"), "robot$library+ci");
}

#[test]
fn own_names_are_those_of_projects() {
    assert_eq!(check_name(&"r".repeat(255)), Ok(()));
    for bad in ["", "CI", "a+b", "c\u{200b}i", "\u{feff}ci", "c\u{456}", &"r".repeat(256)] {
        assert_eq!(check_name(bad), Err(RobotError::Name), "{bad:?}");
    }
}

#[test]
fn prefixes() {
    for good in ["robot$", "robot-", "bot_", "$"] {
        assert!(is_prefix(good), "{good}");
    }
    for bad in ["", "a:b", "a+b", "a b", "a\"", "é", &"r".repeat(33)] {
        assert!(!is_prefix(bad), "{bad}");
    }
}

#[test]
fn durations() {
    assert_eq!(read_duration(-1), Ok(None));
    assert_eq!(read_duration(30), Ok(Some(30)));
    for bad in [0, -2, i64::from(i32::MAX), i64::MAX, i64::MIN] {
        assert_eq!(read_duration(bad), Err(RobotError::Duration(bad)));
    }
    assert_eq!(read_duration(LONGEST_DURATION.into()), Ok(Some(LONGEST_DURATION)));
    let words = RobotError::Duration(i64::MAX).to_string();
    assert!(words.contains("1 to 2147483646 days"), "the words say what is too long: {words}");
}

#[test]
fn what_holds_everywhere_holds_in_each_project_but_not_outside() {
    let grants = [pull(RobotScope::AllProjects), push(ONE)];
    let may =
        |place, action| permitted(RobotLevel::System, &grants, place).contains(Resource::Repository, action);
    assert!(may(ONE, Action::Pull) && may(ONE, Action::Push));
    assert!(may(TWO, Action::Pull) && !may(TWO, Action::Push));
    assert!(!may(RobotScope::System, Action::Pull));
    assert!(!may(RobotScope::AllProjects, Action::Push));
}

#[test]
fn a_projects_robot_that_may_push_may_pull_and_one_of_the_installation_is_told_both() {
    let may = |level, action| permitted(level, &[push(ONE)], ONE).contains(Resource::Repository, action);
    assert!(may(RobotLevel::Project(ProjectId(1)), Action::Pull));
    assert!(may(RobotLevel::System, Action::Push) && !may(RobotLevel::System, Action::Pull));
}

#[test]
fn who_may_delete_a_repository_may_delete_what_is_in_it() {
    let delete = |resource| RobotGrant { scope: ONE, access: set(resource, &[Action::Delete]) };
    let may = |given, resource| {
        permitted(RobotLevel::System, &[delete(given)], ONE).contains(resource, Action::Delete)
    };
    for within in [Resource::Artifact, Resource::Tag] {
        assert!(may(Resource::Repository, within));
        assert!(may(within, within) && !may(within, Resource::Repository));
    }
    assert!(!may(Resource::Artifact, Resource::Tag) && !may(Resource::Tag, Resource::Artifact));
}

#[test]
fn a_robot_hands_on_no_more_than_it_has() {
    let creator = [pull(RobotScope::AllProjects), push(ONE)];
    let may = |wanted: &[RobotGrant], given: &[RobotGrant]| {
        is_subset((RobotLevel::System, wanted), (RobotLevel::System, given))
    };
    assert!(may(&[pull(TWO)], &creator));
    assert!(may(&[RobotGrant { scope: ONE, access: pull(ONE).access.union(&push(ONE).access) }], &creator));
    assert!(!may(&[push(TWO)], &creator));
    assert!(!may(&[push(RobotScope::AllProjects)], &creator));
    assert!(!may(&[pull(RobotScope::System)], &creator));
    assert!(!may(&[pull(RobotScope::AllProjects)], &[pull(ONE), pull(TWO)]));
}

#[test]
fn what_comes_with_a_right_is_compared_at_each_robots_own_level() {
    let (system, project) = (RobotLevel::System, RobotLevel::Project(ProjectId(1)));
    let both = RobotGrant { scope: ONE, access: pull(ONE).access.union(&push(ONE).access) };
    // (what the other gets, at its level; what the creator has, at its level; whether that is within)
    for (wanted, level, given, creators, within) in [
        (push(ONE), project, push(ONE), system, false),
        (push(ONE), project, push(RobotScope::AllProjects), system, false),
        (push(ONE), system, push(ONE), system, true),
        (push(ONE), project, both, system, true),
        (push(ONE), project, push(ONE), project, true),
        (pull(ONE), project, push(ONE), project, true),
        (pull(ONE), system, push(ONE), system, false),
    ] {
        let is = is_subset((level, &[wanted]), (creators, &[given]));
        assert_eq!(is, within, "{wanted:?} of {level:?} by {given:?} of {creators:?}");
    }
    let delete = |resource| RobotGrant { scope: ONE, access: set(resource, &[Action::Delete]) };
    for within in [Resource::Artifact, Resource::Tag] {
        for level in [system, project] {
            let may = |wanted, given| is_subset((level, &[delete(wanted)]), (level, &[delete(given)]));
            assert!(may(within, Resource::Repository), "it deletes these already");
            assert!(!may(Resource::Repository, within));
        }
    }
}

#[test]
fn grants_are_checked_against_level_and_catalogue() {
    let level = RobotLevel::Project(ProjectId(1));
    assert_eq!(check_grants(level, &[pull(ONE)]), Ok(()));
    assert_eq!(check_grants(RobotLevel::System, &[pull(ONE), push(RobotScope::AllProjects)]), Ok(()));
    assert_eq!(check_grants(level, &[]), Err(RobotError::Empty));
    let nothing = RobotGrant { scope: ONE, access: PermissionSet::EMPTY };
    assert_eq!(check_grants(level, &[nothing]), Err(RobotError::Empty));
    for elsewhere in [vec![pull(TWO)], vec![pull(RobotScope::AllProjects)], vec![pull(ONE), pull(TWO)]] {
        assert_eq!(check_grants(level, &elsewhere), Err(RobotError::Elsewhere));
    }
    assert_eq!(check_grants(RobotLevel::System, &[pull(ONE), push(ONE)]), Err(RobotError::Twice));
    let volumes = RobotGrant { scope: ONE, access: set(Resource::SystemVolumes, &[Action::Read]) };
    let refused = check_grants(RobotLevel::System, &[volumes]).unwrap_err().to_string();
    assert!(
        refused.starts_with("system-volumes:read is not in the project permission catalogue"),
        "{refused}"
    );
    assert!(matches!(
        check_grants(RobotLevel::System, &[pull(RobotScope::System)]),
        Err(RobotError::Unknown { scope: "system", .. })
    ));
}

#[test]
fn a_robot_ends_by_switch_or_by_time() {
    let mut robot = Robot {
        id: RobotId(1),
        name: "ci".to_owned(),
        level: RobotLevel::System,
        description: String::new(),
        duration: Some(1),
        disabled: false,
        grants: vec![pull(ONE)],
        creator: Actor::system(),
        valid_after: Timestamp::from_micros(0),
        last_used_at: None,
        created_at: Timestamp::from_micros(5),
        updated_at: Timestamp::from_micros(5),
    };
    let end = Timestamp::from_micros(5 + 24 * 3600 * 1_000_000);
    assert_eq!(robot.expires_at(), Some(end));
    assert!(robot.is_active(end.minus(Duration::from_micros(1))) && !robot.is_active(end));
    robot.duration = None;
    assert!(robot.is_active(Timestamp::from_micros(i64::MAX)));
    robot.disabled = true;
    assert!(!robot.is_active(Timestamp::from_micros(5)));
}
