//! The grid: every operation of every door, asked by every kind of caller in a public and in a private project.
//!
//! What comes out is one table, kept beside this file as a snapshot and read by people: for each operation who gets past the
//! permission check. An operation counts as refused if the answer is 401, 403 or 429; whatever else it is (often that the thing
//! does not exist, or that the body says nothing) was said by somebody who had been let in. A route that is added without its
//! row changes the table, and so fails here.

mod actors;
mod operations;

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use berth_domain::Scope;

use crate::doors::Doors;
use crate::tests::config;
use crate::wiring::{self, Parts};
use actors::{Actor, Cast};
use operations::{Operation, operations};

/// The project that everyone may read.
const PUBLIC: &str = "open";
/// The project that only members may.
const PRIVATE: &str = "closed";

#[tokio::test]
async fn nobody_gets_what_is_not_theirs() {
    let data = tempfile::tempdir().unwrap();
    let mut config = config(&data);
    config.access.login_delay = std::time::Duration::from_micros(1);
    config.access.longest_login_delay = std::time::Duration::from_micros(1);
    std::fs::create_dir_all(&config.data.directory).unwrap();
    let parts = Parts::open(&config, true).await.unwrap();
    let cast = Cast::assemble(&parts).await;
    let doors = wiring::doors(&parts, &config);
    let mut table = String::new();
    for operation in operations() {
        writeln!(table, "{}", operation.label).unwrap();
        for project in [PUBLIC, PRIVATE] {
            let passed = passed(&doors, &cast, &operation, project, &cast.people).await;
            writeln!(table, "  {project:<8} {}", shown(&passed, cast.people.len())).unwrap();
            if !operation.in_project {
                break;
            }
        }
        for (scope, robots) in [(Scope::Project, &cast.project_robots), (Scope::System, &cast.system_robots)]
        {
            let passed = passed(&doors, &cast, &operation, PRIVATE, robots).await;
            let name = if scope == Scope::Project { "robot" } else { "system" };
            writeln!(table, "  {name:<8} {}", shown(&passed, robots.len())).unwrap();
        }
    }
    insta::assert_snapshot!("grid", table);
}

/// The names of those who get past the check.
async fn passed<'a>(
    doors: &Doors,
    cast: &Cast,
    operation: &Operation,
    project: &str,
    actors: &'a [Actor],
) -> Vec<&'a str> {
    let mut passed = Vec::new();
    for actor in actors {
        let target = cast.target(operation, project).await;
        let mut request = Request::builder().method(operation.method).uri(operation.path(project, target));
        if let Some(authorization) = &actor.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.header(CONTENT_TYPE, operation.content_type()).body(Body::from(operation.body));
        let request = request.unwrap();
        let door = doors.of(request.uri().path()).expect("a door");
        let status = door.answer(request).await.status().as_u16();
        assert!(status < 500, "{} by {}: {status}", operation.label, actor.name);
        if !matches!(status, 401 | 403 | 429) {
            passed.push(actor.name.as_str());
        }
    }
    passed
}

fn shown(passed: &[&str], all: usize) -> String {
    match passed.len() {
        0 => "nobody".to_owned(),
        count if count == all => "everybody".to_owned(),
        _ => passed.join(" "),
    }
}
