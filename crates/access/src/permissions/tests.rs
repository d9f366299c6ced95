//! Every kind of subject in every kind of place.

use super::*;

const ONE: ProjectId = ProjectId(1);
const RULES: SystemRules = SystemRules { users_create_projects: false };

fn user(roles: &[RoleId]) -> Subject<'_> {
    Subject::User { sysadmin: false, roles }
}

/// A robot of the installation.
fn robot(scope: RobotScope, resource: Resource, action: Action) -> Subject<'static> {
    robot_of(RobotLevel::System, scope, resource, action)
}

fn robot_of(level: RobotLevel, scope: RobotScope, resource: Resource, action: Action) -> Subject<'static> {
    let grant = RobotGrant { scope, access: PermissionSet::on_one(resource, &[action]) };
    Subject::Robot { level, grants: Vec::leak(vec![grant]) }
}

fn at(subject: Subject<'_>, place: Place) -> PermissionSet {
    effective(subject, place, &Roles::default(), RULES)
}

const PUBLIC: Place = Place::Project { id: ONE, public: true };
const PRIVATE: Place = Place::Project { id: ONE, public: false };

#[test]
fn a_private_project_is_nothing_to_strangers() {
    assert!(at(Subject::Anonymous, PRIVATE).is_empty());
    assert!(at(user(&[]), PRIVATE).is_empty());
    assert!(
        at(robot(RobotScope::Project(ProjectId(2)), Resource::Repository, Action::Pull), PRIVATE).is_empty()
    );
    assert!(at(robot(RobotScope::System, Resource::Catalog, Action::Read), PRIVATE).is_empty());
}

#[test]
fn a_public_project_gives_everyone_the_same_floor() {
    for stranger in [
        Subject::Anonymous,
        user(&[]),
        robot(RobotScope::Project(ProjectId(2)), Resource::Repository, Action::Push),
    ] {
        assert_eq!(at(stranger, PUBLIC), *Role::in_public_projects(), "{stranger:?}");
    }
    let developer = at(user(&[RoleId::DEVELOPER]), PUBLIC);
    assert!(Role::in_public_projects().is_subset_of(&developer));
    assert!(developer.contains(Resource::Repository, Action::Push));
}

#[test]
fn each_role_gives_its_table_and_several_add_up() {
    for role in Role::harbors() {
        assert_eq!(at(user(&[role.id]), PRIVATE), role.permissions, "{}", role.name);
    }
    let both = at(user(&[RoleId::GUEST, RoleId::DEVELOPER]), PRIVATE);
    assert_eq!(both, at(user(&[RoleId::DEVELOPER]), PRIVATE));
    assert!(at(user(&[RoleId(99)]), PRIVATE).is_empty(), "a role that is gone");
}

#[test]
fn added_roles_count_and_cannot_replace_harbors() {
    let pull = PermissionSet::on_one(Resource::Repository, &[Action::Pull]);
    let added = |id| Role { id: RoleId(id), name: "puller".to_owned(), permissions: pull };
    let roles = Roles::new([added(17), added(1)]);
    assert_eq!(effective(user(&[RoleId(17)]), PRIVATE, &roles, RULES), pull);
    assert_eq!(*roles.permissions(RoleId::PROJECT_ADMIN), Role::harbors()[0].permissions);
}

#[test]
fn a_system_administrator_may_everything_everywhere() {
    let sysadmin = Subject::User { sysadmin: true, roles: &[] };
    for place in [Place::System, PUBLIC, PRIVATE] {
        assert_eq!(at(sysadmin, place), PermissionSet::ALL);
    }
}

#[test]
fn outside_of_projects_accounts_may_list_projects_and_perhaps_make_them() {
    assert_eq!(at(Subject::Anonymous, Place::System), filtered_lists());
    assert!(!filtered_lists().contains(Resource::Catalog, Action::Read), "that is all of it");
    assert_eq!(
        at(user(&[RoleId::PROJECT_ADMIN]), Place::System),
        filtered_lists(),
        "a role ends with its project"
    );
    let open = SystemRules { users_create_projects: true };
    let may = effective(user(&[]), Place::System, &Roles::default(), open);
    assert!(may.contains(Resource::Project, Action::Create));
    let own = RobotScope::Project(ONE);
    let pulls = |level| robot_of(level, own, Resource::Repository, Action::Pull);
    for (subject, makes) in [
        (Subject::Anonymous, false),
        (pulls(RobotLevel::System), true),
        (pulls(RobotLevel::Project(ONE)), false),
    ] {
        let may = effective(subject, Place::System, &Roles::default(), open);
        assert_eq!(may.contains(Resource::Project, Action::Create), makes, "{subject:?}");
    }
    assert_eq!(at(pulls(RobotLevel::System), Place::System), filtered_lists());
}

#[test]
fn a_robot_may_each_single_permission_where_it_was_given() {
    for permission in berth_domain::Scope::Project.catalogue().iter() {
        let single = PermissionSet::on_one(permission.resource, &[permission.action]);
        for scope in [RobotScope::Project(ONE), RobotScope::AllProjects] {
            let subject = robot(scope, permission.resource, permission.action);
            let with = RobotGrant { scope, access: single }.permits(RobotLevel::System);
            assert_eq!(at(subject, PRIVATE), with, "{permission}");
            assert_eq!(at(subject, Place::System), filtered_lists());
        }
    }
    for permission in berth_domain::Scope::System.catalogue().iter() {
        let subject = robot(RobotScope::System, permission.resource, permission.action);
        let single = PermissionSet::on_one(permission.resource, &[permission.action]);
        assert_eq!(at(subject, Place::System), single.union(&filtered_lists()), "{permission}");
    }
}

#[test]
fn what_was_issued_before_is_not_honoured() {
    let at = Timestamp::from_micros;
    let standing = Standing { active: true, valid_after: at(100) };
    assert!(standing.honours(at(100)) && !standing.honours(at(99)));
    assert!(!Standing { active: false, ..standing }.honours(at(200)));
    assert!(Standing::ALWAYS.honours(at(0)));
}
