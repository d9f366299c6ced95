//! The grid: every operation of every door, asked by every kind of caller in a public and in a private project.
//!
//! What comes out is one table, kept beside this file as a snapshot and read by people: for each operation who gets past the
//! permission check, and where the answer depends on who asks, what they are shown (after the arrow). An operation counts as refused
//! if the answer is 401, 403 or 429, or what its row says beside; whatever else it is (often that the thing does not exist, or that
//! the body says nothing) was said by somebody who had been let in. A route that is added without its row does not compile, or
//! changes the table, and so fails here.
//!
//! **How to read it.** The lines of an operation are audiences. `open` and `closed` are people in the public and in the private
//! project, in which everybody with a role has that role; a role means that it does the same given to a person and to a group.
//! `token` is the same people with a token for all that the operation is about; `sysadmin[pull]` asked for pulling only, and
//! `sysadmin[]` for nothing. `robot` is a project's robots, one for each permission that there is; `on closed` and `on *` are the
//! installation's robots that were given that permission in the private project and in all projects; `system` are those that were
//! given it outside of projects, which ask about the private one. Audiences with the same answers share a line.

mod actors;
mod operations;
mod said;
mod table;

use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use berth_config::Size;
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;

use crate::doors::Doors;
use crate::tests::config;
use crate::wiring::{self, Parts};
use actors::{Actor, Cast};
use operations::{Operation, Place, operations};
use table::{Section, Table};

/// The project that everyone may read.
const PUBLIC: &str = "open";
/// The project that only members may.
const PRIVATE: &str = "closed";
/// A private project in which nobody here has a role.
const ELSEWHERE: &str = "elsewhere";

/// How many callers ask at once.
const AT_ONCE: usize = 8;

/// Counts requests, so that each has a name that was never used.
static ASKED: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn nobody_gets_what_is_not_theirs() {
    let data = tempfile::tempdir().unwrap();
    let mut config = config(&data);
    config.access.login_delay = std::time::Duration::from_micros(1);
    config.access.longest_login_delay = std::time::Duration::from_micros(1);
    config.access.password_memory = Size::new(8 << 10);
    config.access.password_iterations = 1;
    std::fs::create_dir_all(&config.data.directory).unwrap();
    let parts = Parts::open(&config, true).await.unwrap();
    let doors = wiring::doors(&parts, &config);
    let cast = Cast::assemble(&parts, &doors).await;
    let mut table = Table::default();
    for operation in operations() {
        let mut section = Section::new(&operation);
        for (audience, place, actors) in cast.audiences(&operation) {
            section.add(audience, &answers(&doors, &cast, &operation, place, actors).await);
        }
        table.add(section);
    }
    insta::assert_snapshot!("grid", table.render());
}

/// What each of them is told: `None` if they are refused.
async fn answers<'a>(
    doors: &Doors,
    cast: &Cast,
    operation: &Operation,
    project: &str,
    actors: &'a [Actor],
) -> Vec<(&'a str, Option<String>)> {
    let asking = actors.iter().map(|actor| async move {
        (actor.name.as_str(), answer(doors, cast, operation, project, actor).await)
    });
    stream::iter(asking).buffered(AT_ONCE).collect().await
}

/// What one of them is told.
async fn answer(
    doors: &Doors,
    cast: &Cast,
    operation: &Operation,
    project: &str,
    actor: &Actor,
) -> Option<String> {
    let place = Place {
        project,
        project_id: cast.id_of(project),
        target: cast.target(operation, project).await,
        fresh: ASKED.fetch_add(1, Ordering::Relaxed),
    };
    let shown = cast.show(actor, operation, &place).await;
    let mut request = Request::builder().method(operation.method).uri(operation.path(&place));
    if let Some(authorization) = &shown.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let body = operation.body(&place) + &shown.form;
    let request = request.header(CONTENT_TYPE, operation.content_type()).body(Body::from(body)).unwrap();
    let door = doors.of(request.uri().path()).expect("a door");
    let answer = door.answer(request).await;
    let status = answer.status().as_u16();
    assert!(status < 500 && status != 405, "{} by {}: {status}", operation.label, actor.name);
    if matches!(status, 401 | 403 | 429) || operation.also_refused == Some(status) {
        return None;
    }
    let Some(says) = operation.says else { return Some(String::new()) };
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    Some(says(status, &serde_json::from_slice(&bytes).unwrap_or_default()))
}
