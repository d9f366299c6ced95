//! How a path finds its operation.
//!
//! A template is split at its slashes: a word stands for itself, `{name}` for any one part. Words win over names because they stand
//! first in the table. A slash at the end of a path counts for nothing, as in Harbor.

use axum::http::Method;
use axum::response::Response;
use berth_http::query;
use futures::future::BoxFuture;
use std::borrow::Cow;

use crate::call::Call;
use crate::error::Error;
use crate::routes::ROUTES;

/// One operation of this door, as Harbor's description names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The path, with names in braces.
    pub path: &'static str,
    /// Harbor's `operationId`; one of our own for what stands outside of Harbor's description.
    pub id: &'static str,
    /// Whether it asks nobody who they are.
    pub open: bool,
    /// Whether somebody who is nobody may send it a body.
    pub strangers: bool,
}

/// Answers a call.
pub(crate) type Handler = for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, Result<Response, Error>>;

/// An operation and what answers it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) handler: Handler,
}

/// The parts of a path that names stand for, still escaped.
pub(crate) type Arguments<'a> = Vec<(&'static str, &'a str)>;

/// What a method and a path name.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// This.
    Route(&'static Route, Arguments<'a>),
    /// The path has other methods.
    Methods(Vec<&'static str>),
    /// Nothing.
    Nothing,
}

/// Looks a path up. `HEAD` is answered as `GET` where it is no operation of its own.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let mut methods = Vec::new();
    let mut as_get = None;
    for route in ROUTES {
        let Some(arguments) = arguments(route.operation.path, path) else { continue };
        if route.operation.method == method.as_str() {
            return Found::Route(route, arguments);
        }
        if method == Method::HEAD && route.operation.method == "GET" && as_get.is_none() {
            as_get = Some((route, arguments));
        }
        if !methods.contains(&route.operation.method) {
            methods.push(route.operation.method);
        }
    }
    match as_get {
        Some((route, arguments)) => Found::Route(route, arguments),
        None if methods.is_empty() => Found::Nothing,
        None => Found::Methods(methods),
    }
}

fn arguments<'a>(template: &'static str, path: &'a str) -> Option<Arguments<'a>> {
    let mut parts = path.strip_suffix('/').unwrap_or(path).split('/');
    let mut arguments = Vec::new();
    for expected in template.strip_suffix('/').unwrap_or(template).split('/') {
        let part = parts.next()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !part.is_empty() => arguments.push((name, part)),
            None if part == expected => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(arguments)
}

/// The part of the path that a name stands for.
///
/// # Panics
/// If the template has no such name: each handler asks for those of its own row.
pub(crate) fn argument<'a>(arguments: &Arguments<'a>, name: &str) -> Cow<'a, str> {
    let found = arguments.iter().find(|(known, _)| *known == name);
    query::decode(found.unwrap_or_else(|| unreachable!("{name} is in the path of this operation")).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(method: &str, path: &str) -> Option<(&'static str, Vec<String>)> {
        match find(&method.parse().expect("a method"), path) {
            Found::Route(route, arguments) => {
                let values = arguments.iter().map(|(name, _)| argument(&arguments, name).into_owned());
                Some((route.operation.id, values.collect()))
            }
            _ => None,
        }
    }

    #[test]
    fn paths_find_their_operations() {
        for (method, path, expected, arguments) in [
            ("GET", "/api/v2.0/ping", "getPing", &[][..]),
            ("GET", "/api/v2.0/ping/", "getPing", &[]),
            ("HEAD", "/api/v2.0/ping", "getPing", &[]),
            ("HEAD", "/api/v2.0/projects", "headProject", &[]),
            ("GET", "/api/v2.0/users/current", "getCurrentUserInfo", &[]),
            ("GET", "/api/v2.0/users/7", "getUser", &["7"]),
            ("PUT", "/api/v2.0/users/7/sysadmin", "setUserSysAdmin", &["7"]),
            ("GET", "/api/v2.0/usergroups/search", "searchUserGroups", &[]),
            ("POST", "/api/v2.0/projects/a%2Eb/metadatas/", "addProjectMetadatas", &["a.b"]),
            ("POST", "/api/v2.0/projects/1/metadatas", "addProjectMetadatas", &["1"]),
            ("PUT", "/api/v2.0/projects/1/metadatas/public", "updateProjectMetadata", &["1", "public"]),
            ("GET", "/api/version", "getVersion", &[]),
            ("POST", "/c/login", "login", &[]),
        ] {
            let found = id(method, path).unwrap_or_else(|| panic!("{method} {path}"));
            assert_eq!(found.0, expected, "{method} {path}");
            assert_eq!(found.1, arguments, "{method} {path}");
        }
    }

    #[test]
    fn near_misses_find_nothing() {
        for path in [
            "/",
            "",
            "/api",
            "/api/v2.0",
            "/api/v2.0/",
            "/api/v2.0//ping",
            "/api/v2.0/users//sysadmin",
            "/api/v2.0/pingx",
            "/c",
        ] {
            assert!(matches!(find(&Method::GET, path), Found::Nothing), "{path}");
        }
        let Found::Methods(methods) = find(&Method::DELETE, "/api/v2.0/robots") else { panic!("405") };
        assert_eq!(methods, ["GET", "POST"]);
    }

    #[test]
    fn no_two_operations_share_an_id_or_a_place() {
        for (at, route) in ROUTES.iter().enumerate() {
            let Operation { method, path, id, .. } = route.operation;
            for other in &ROUTES[at + 1..] {
                assert_ne!(other.operation.id, id);
                assert!((other.operation.method, other.operation.path) != (method, path), "{method} {path}");
            }
        }
    }
}
