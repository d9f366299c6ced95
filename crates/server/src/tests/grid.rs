//! The grid: every operation of every door, asked by every kind of caller in a public and in a private project.
//!
//! What comes out is one table, kept beside this file as a snapshot and read by people: for each operation who gets past the
//! permission check, and where the answer depends on who asks, what they are shown (after the arrow). An operation counts as refused
//! if the answer is 401, 403 or 429, or what its row says beside; whatever else it is (often that the thing does not exist, or that
//! the body says nothing) was said by somebody who had been let in. A route that is added without its row does not compile, or
//! changes the table, and so fails here.
//!
//! **How to read it.** The lines of an operation are audiences. Where it lies in a project each of them asks about the public and about
//! the private one; where they are answered differently, `open` and `closed` say which. `people` have a role in both projects: a role
//! means that it does the same given to a person and to a group. `cookie` are the same people with a session, `anonymous` among them
//! with one that ended; `token` are they with a token for all that the operation is about; `sysadmin[pull]` asked for pulling only, and
//! `sysadmin[]` for nothing. `outlived` show a token that they got with every right in the private project, and lost all since. `astray`
//! are robots with every right there is, somewhere else or no more. `robot` is a project's robots, one for each permission that there
//! is; `on-closed` and `on-*` are the installation's robots that were given that permission in the private project and in all projects;
//! `system` are those that were given it outside of projects. Audiences with the same answers share a line. Who is no person has no
//! number of their own: `about oneself` they ask about nobody's.
//!
//! What is not in the table is asserted beside it: that a cookie is nothing where it is not taken, and changes nothing by itself. Not in
//! it are `/healthz`, `/readyz` and `/metrics`, which belong to no door and ask nobody.

mod actors;
mod cast;
mod operations;
mod said;
mod table;
mod targets;

use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use berth_config::Size;
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;

use crate::doors::Doors;
use crate::tests::config;
use crate::wiring::{self, Parts};
use actors::Actor;
use cast::{Audience, Cast};
use operations::{Cookies, Operation, Place, operations};
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
        for audience in cast.audiences(&operation) {
            section.add(&audience, &answers(&doors, &cast, &operation, &audience).await);
        }
        cookies_are_no_more_than_they_should(&doors, &cast, &operation).await;
        table.add(section);
    }
    insta::assert_snapshot!("grid", table.render());
}

/// What each of them is told: `None` if they are refused.
async fn answers<'a>(
    doors: &Doors,
    cast: &Cast,
    operation: &Operation,
    audience: &Audience<'a>,
) -> Vec<(&'a str, Option<String>)> {
    let asking = audience.actors.iter().map(|actor| async move {
        let (status, body) = answer(doors, cast, operation, audience.project, actor, Csrf::Shown).await;
        (actor.name.as_str(), told(operation, status, &body))
    });
    stream::iter(asking).buffered(AT_ONCE).collect().await
}

/// What that means: `None` is a refusal.
fn told(operation: &Operation, status: u16, body: &[u8]) -> Option<String> {
    if matches!(status, 401 | 403 | 429) || operation.also_refused == Some(status) {
        return None;
    }
    let Some(says) = operation.says else { return Some(String::new()) };
    Some(says(status, &serde_json::from_slice(body).unwrap_or_default()))
}

/// Where a cookie says who it is, it changes nothing without the session's other token; where it does not, it is nothing.
async fn cookies_are_no_more_than_they_should(doors: &Doors, cast: &Cast, operation: &Operation) {
    let reads = matches!(operation.method, "GET" | "HEAD");
    for actor in &cast.cookies {
        if operation.cookies == Cookies::Taken {
            if !reads && actor.name != "anonymous" {
                let (status, _) = answer(doors, cast, operation, PRIVATE, actor, Csrf::Missing).await;
                assert_eq!(status, 403, "{} by a page that {} visits", operation.label, actor.name);
            }
            continue;
        }
        let (status, body) = answer(doors, cast, operation, PRIVATE, actor, Csrf::Shown).await;
        let nobody = &cast.people[0];
        let (as_nobody, said) = answer(doors, cast, operation, PRIVATE, nobody, Csrf::Shown).await;
        let both = [told(operation, status, &body), told(operation, as_nobody, &said)];
        assert_eq!(both[0], both[1], "{} by the cookie of {}", operation.label, actor.name);
    }
}

/// Whether who comes with a cookie sends the session's other token too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Csrf {
    Shown,
    Missing,
}

/// The answer to one of them.
async fn answer(
    doors: &Doors,
    cast: &Cast,
    operation: &Operation,
    project: &str,
    actor: &Actor,
    csrf: Csrf,
) -> (u16, Vec<u8>) {
    let place = Place {
        project,
        project_id: if project == PUBLIC { cast.stage.open.0 } else { cast.stage.closed.0 },
        target: cast.targets.of(&cast.stage, operation, project, actor).await,
        fresh: ASKED.fetch_add(1, Ordering::Relaxed),
    };
    let shown = actor.show(&cast.stage.gatekeeper, operation, &place).await;
    let mut request = Request::builder().method(operation.method).uri(operation.path(&place));
    if let Some(authorization) = &shown.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    if let Some(cookie) = &shown.cookie {
        request = request.header(COOKIE, format!("sid={}", cookie.sid));
        if csrf == Csrf::Shown {
            request = request.header("x-harbor-csrf-token", &cookie.csrf);
        }
    }
    let body = operation.body(&place) + &shown.form;
    let request = request.header(CONTENT_TYPE, operation.content_type()).body(Body::from(body)).unwrap();
    let door = doors.of(request.uri().path()).expect("a door");
    let answer = door.answer(request).await;
    let status = answer.status().as_u16();
    let said = answer.into_body().collect().await.unwrap().to_bytes();
    // What is not understood says nothing about rights: the row has another body or query to send.
    let understood = status < 500 && !matches!(status, 405 | 415 | 422);
    assert!(
        understood,
        "{} {} by {}: {status} {}",
        operation.method,
        operation.label,
        actor.name,
        String::from_utf8_lossy(&said)
    );
    (status, said.to_vec())
}
