//! Scopes are read as docker reads them, and granted no further than permitted.

use std::collections::BTreeSet;

use berth_domain::{Role, RoleId};
use proptest::prelude::*;

use super::*;

fn scope(kind: &str, name: &str, actions: &[&str]) -> ResourceActions {
    let actions = actions.iter().map(|&action| action.to_owned()).collect();
    ResourceActions { kind: kind.to_owned(), name: name.to_owned(), actions }
}

fn role(id: RoleId) -> PermissionSet {
    Role::harbors().iter().find(|role| role.id == id).unwrap().permissions
}

#[test]
fn what_clients_send_is_read() {
    for (text, read) in [
        ("repository:library/alpine:pull", scope("repository", "library/alpine", &["pull"])),
        ("repository:library/alpine:pull,push", scope("repository", "library/alpine", &["pull", "push"])),
        ("repository(plugin):library/x:pull", scope("repository", "library/x", &["pull"])),
        (
            "repository:host.example:5000/library/x:pull",
            scope("repository", "host.example:5000/library/x", &["pull"]),
        ),
        ("registry:catalog:*", scope("registry", "catalog", &["*"])),
        ("repository:library/x:", scope("repository", "library/x", &[])),
        ("repository:library/x:pull,pull", scope("repository", "library/x", &["pull"])),
    ] {
        assert_eq!(parse_scope(text), Ok(read), "{text}");
    }
}

#[test]
fn what_is_no_scope_is_refused_with_words() {
    for bad in [
        "",
        ":",
        "repository",
        "repository:x",
        "repository::pull",
        ":x:pull",
        "repository(:x:pull",
        "repository():x:pull",
        "Repository:x:pull",
        "repository:x:PULL",
        "repository:é:pull",
        "repository:a\tb:pull",
    ] {
        assert!(matches!(parse_scope(bad), Err(ScopeError::Malformed(_))), "{bad}");
    }
    assert_eq!(parse_scope(&format!("repository:{}:pull", "x".repeat(600))), Err(ScopeError::Long));
}

#[test]
fn lists_and_several_parameters_are_one_list() {
    let read =
        parse_scopes(["repository:a/b:pull  repository:c/d:push", "repository:a/b:push,pull"]).unwrap();
    assert_eq!(read, [scope("repository", "a/b", &["pull", "push"]), scope("repository", "c/d", &["push"])]);
    assert_eq!(parse_scopes([""]), Ok(vec![]));
}

#[test]
fn ten_thousand_scopes_are_refused_and_a_hundred_are_not() {
    let many = |count: usize| (0..count).map(|n| format!("repository:a/b{n}:pull")).collect::<Vec<_>>();
    assert_eq!(parse_scopes(many(100).iter().map(String::as_str)).unwrap().len(), 100);
    assert_eq!(parse_scopes(many(10_000).iter().map(String::as_str)), Err(ScopeError::Many));
    assert_eq!(parse_scopes([many(10_000).join(" ").as_str()]), Err(ScopeError::Many));
    assert_eq!(parse_scopes(["repository:a/b:pull ".repeat(10_000).as_str()]), Err(ScopeError::Many));
}

#[test]
fn granted_is_asked_and_allowed() {
    let all = scope("repository", "a/b", &["pull", "push", "delete"]);
    let star = scope("repository", "a/b", &["*"]);
    for (id, actions) in [
        (RoleId::PROJECT_ADMIN, &["pull", "push", "delete"][..]),
        (RoleId::MAINTAINER, &["pull", "push", "delete"]),
        (RoleId::DEVELOPER, &["pull", "push"]),
        (RoleId::GUEST, &["pull"]),
        (RoleId::LIMITED_GUEST, &["pull"]),
    ] {
        assert_eq!(all.granted(&role(id)).actions, actions, "{id:?}");
        assert_eq!(star.granted(&role(id)).actions, actions, "{id:?}");
    }
    assert_eq!(scope("repository", "a/b", &["push"]).granted(&role(RoleId::GUEST)).actions, [""; 0]);
    for nothing in [scope("repository", "NOT/a/name", &["pull"]), scope("secrets", "a/b", &["pull"])] {
        assert_eq!(nothing.granted(&PermissionSet::ALL).actions, [""; 0]);
    }
    assert_eq!(scope("registry", "catalog", &["*"]).granted(&PermissionSet::ALL).actions, ["*"]);
    assert_eq!(scope("registry", "catalog", &["*"]).granted(&role(RoleId::PROJECT_ADMIN)).actions, [""; 0]);
}

#[test]
fn a_token_stands_for_no_more_than_its_actions() {
    let pull = scope("repository", "a/b", &["pull"]).permissions();
    assert!(pull.contains(Resource::Repository, Action::Pull) && pull.contains(Resource::Tag, Action::List));
    assert!(
        !pull.contains(Resource::Repository, Action::Push)
            && !pull.contains(Resource::Artifact, Action::Delete)
    );
    let delete = scope("repository", "a/b", &["delete"]).permissions();
    assert!(
        delete.contains(Resource::Tag, Action::Delete)
            && !delete.contains(Resource::Repository, Action::Pull)
    );
    assert!(!scope("repository", "a/b", &["*"]).permissions().contains(Resource::Catalog, Action::Read));
    assert!(scope("registry", "catalog", &["*"]).permissions().contains(Resource::Catalog, Action::Read));
    assert!(scope("registry", "catalog", &[]).permissions().is_empty());
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_stumble(text in ".{0,300}") {
        if let Ok(scope) = parse_scope(&text) {
            let written = format!("{}:{}:{}", scope.kind, scope.name, scope.actions.join(","));
            prop_assert_eq!(parse_scope(&written), Ok(scope));
        }
    }

    #[test]
    fn what_is_asked_for_twice_is_asked_for_once(
        parameters in prop::collection::vec(
            "((repository|registry|x)(\\(plugin\\))?:(a/b|catalog|h:5/a/b):((pull|push|\\*),){0,3} ?){0,3}",
            0..50,
        ),
        odd in ".{0,100}",
    ) {
        for parameters in [parameters, vec![odd]] {
            let Ok(scopes) = parse_scopes(parameters.iter().map(String::as_str)) else { continue };
            prop_assert!(scopes.len() <= MOST_SCOPES);
            let things: BTreeSet<_> = scopes.iter().map(|scope| (&scope.kind, &scope.name)).collect();
            prop_assert_eq!(things.len(), scopes.len());
            let _ = Coverage::of(&scopes);
            let written = scopes.iter().map(|scope| format!("{}:{}:{}", scope.kind, scope.name, scope.actions.join(",")));
            let written: Vec<String> = written.collect();
            // Actions that were asked for apart may be too long in one scope.
            if let Ok(again) = parse_scopes(written.iter().map(String::as_str)) {
                prop_assert_eq!(again, scopes);
            }
        }
    }

    #[test]
    fn names_with_colons_come_back_whole(
        name in "[a-z]{1,8}(:[0-9]{1,5})?(/[a-z0-9]{1,8}){1,3}",
        actions in proptest::sample::subsequence(vec!["pull", "push", "delete", "*"], 0..=4),
    ) {
        let read = parse_scope(&format!("repository:{name}:{}", actions.join(","))).unwrap();
        prop_assert_eq!(read, scope("repository", &name, &actions));
    }

    #[test]
    fn what_is_granted_was_asked_for_and_is_covered(
        actions in proptest::sample::subsequence(vec!["pull", "push", "delete"], 0..=3),
        column in 0_usize..5,
    ) {
        let asked = scope("repository", "a/b", &actions);
        let role = &Role::harbors()[column].permissions;
        let granted = asked.granted(role);
        prop_assert!(granted.actions.iter().all(|action| asked.actions.contains(action)));
        prop_assert_eq!(&granted.granted(role), &granted);
        prop_assert!(granted.permissions().is_subset_of(&asked.permissions()));
    }
}
