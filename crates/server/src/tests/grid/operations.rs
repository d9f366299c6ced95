//! Every operation of every door, as the doors list them, with a request that harms nothing.

use berth_api_distribution::{Route, ServiceRoute};

use super::ELSEWHERE;
use super::said::{self, Says};
use super::targets::{Target, Where};

/// One operation. In its texts names in braces stand for what is known when it is asked for: see [`Place`].
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) label: String,
    pub(super) method: &'static str,
    path: String,
    body: &'static str,
    /// Whether it lies in a project.
    pub(super) in_project: bool,
    /// What it is about beside its project.
    pub(super) target: Target,
    /// What a session's cookie is to it.
    pub(super) cookies: Cookies,
    /// What somebody with a token asks for to do it.
    scopes: &'static [&'static str],
    /// A status that is a refusal here, beside those that are everywhere.
    pub(super) also_refused: Option<u16>,
    /// Whether the name and the secret stand in the body.
    pub(super) log_in_by_form: bool,
    /// What the answer says of what may be seen.
    pub(super) says: Option<Says>,
}

/// What becomes of a session's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookies {
    Ignored,
    /// It says who asks.
    Taken,
    /// Its session ends.
    Ended,
}

/// What an operation is about this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// `{project}`.
    pub(super) project: &'a str,
    /// `{project_id}`.
    pub(super) project_id: i64,
    /// `{target}`.
    pub(super) target: i64,
    /// `{fresh}`: a number that was never used.
    pub(super) fresh: u32,
}

impl Place<'_> {
    fn fill(&self, text: &str) -> String {
        let text = text.replace("{project}", self.project).replace("{target}", &self.target.to_string());
        let text = text.replace("{project_id}", &self.project_id.to_string());
        text.replace("{fresh}", &self.fresh.to_string()).replace("{elsewhere}", ELSEWHERE)
    }
}

impl Operation {
    pub(super) fn path(&self, place: &Place<'_>) -> String {
        place.fill(&self.path)
    }

    pub(super) fn body(&self, place: &Place<'_>) -> String {
        place.fill(self.body)
    }

    /// The scopes that somebody with a token asks for.
    pub(super) fn scopes(&self, place: &Place<'_>) -> String {
        place.fill(&self.scopes.join(" "))
    }

    pub(super) fn content_type(&self) -> &'static str {
        let form = self.path.starts_with("/c/") || self.path.starts_with("/service/");
        if form { "application/x-www-form-urlencoded" } else { "application/json" }
    }
}

/// The digest of nothing, which no repository has.
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UPLOAD: &str = "00000000-0000-0000-0000-000000000000";
/// What somebody asks for who means to do everything with the repository.
const ALL: &[&str] = &["registry:catalog:*", "repository:{project}/a:pull,push,delete"];

/// All of them, door by door.
pub(super) fn operations() -> Vec<Operation> {
    let registry = registry_paths().into_iter().flat_map(|(path, route)| {
        route.allow().split(", ").map(|method| registry(path, &route, method)).collect::<Vec<_>>()
    });
    let services = service_paths().into_iter().flat_map(|(path, route)| {
        route.allow().split(", ").map(|method| service(path, route, method)).collect::<Vec<_>>()
    });
    let harbor = berth_api_harbor::operations().flat_map(harbor).flat_map(with_head);
    // Mounts last: they leave repositories behind.
    registry.chain(services).chain(harbor).chain(mounts()).collect()
}

/// Makes a function that gives paths, at least one for each kind of route; a kind without one does not compile.
macro_rules! paths {
    ($name:ident, $route:ty, $parse:expr; $($kind:pat => $($path:literal),+;)+) => {
        fn $name() -> Vec<(&'static str, $route)> {
            // A kind of route that is not among them is missed here.
            let _ = |route: $route| match route { $($kind => {})+ };
            let mut paths = Vec::new();
            $($(
                let plain = $path.split('?').next().unwrap_or_default();
                let route = $parse(&plain.replace("{digest}", DIGEST).replace("{upload}", UPLOAD));
                assert!(matches!(route, $kind), "{} is none of these", $path);
                paths.push(($path, route));
            )+)+
            paths
        }
    };
}

paths! { registry_paths, Route, parse_route;
    Route::Base => "/v2/";
    Route::Catalog => "/v2/_catalog";
    Route::ExtensionsDiscover => "/v2/_oci/ext/discover";
    Route::RepositoryExtensions { .. } => "/v2/<name>/_oci/ext/discover";
    Route::Blob { .. } => "/v2/<name>/blobs/{digest}";
    Route::Uploads { .. } => "/v2/<name>/blobs/uploads/";
    Route::Upload { .. } => "/v2/<name>/blobs/uploads/{upload}?digest={digest}";
    Route::Manifest { .. } => "/v2/<name>/manifests/none", "/v2/<name>/manifests/{digest}";
    Route::Tags { .. } => "/v2/<name>/tags/list";
    Route::Referrers { .. } => "/v2/<name>/referrers/{digest}";
}

paths! { service_paths, ServiceRoute, parse_service;
    ServiceRoute::Token => "/service/token";
    ServiceRoute::Keys => "/service/jwks";
}

fn parse_route(path: &str) -> Route {
    Route::parse(&path.replace("<name>", "project/a")).expect("a path of the API")
}

fn parse_service(path: &str) -> ServiceRoute {
    ServiceRoute::parse(path).expect("a path of the token service")
}

fn method_named(name: &str) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    known.into_iter().find(|known| *known == name).expect("a method that is known here")
}

/// An operation of which everything else is to be said.
fn bare(method: &'static str, path: String, label: String) -> Operation {
    Operation {
        label,
        method,
        path,
        body: "",
        in_project: false,
        target: Target::Nothing,
        cookies: Cookies::Ignored,
        scopes: ALL,
        also_refused: None,
        log_in_by_form: false,
        says: None,
    }
}

fn registry(path: &'static str, route: &Route, method: &str) -> Operation {
    let method = method_named(method);
    let says: Option<Says> = match route {
        Route::Catalog => Some(said::repositories),
        Route::Tags { .. } => Some(said::tags),
        _ => None,
    };
    let filled =
        path.replace("<name>", "{project}/a").replace("{digest}", DIGEST).replace("{upload}", UPLOAD);
    let label = path.split('?').next().unwrap_or_default().to_owned();
    Operation {
        in_project: path.contains("<name>"),
        says: says.filter(|_| method == "GET"),
        ..bare(method, filled, label)
    }
}

fn service(path: &'static str, route: ServiceRoute, method: &str) -> Operation {
    const ASKED: &str =
        "service=harbor-registry&scope=repository:{project}/a:pull,push,delete&scope=registry:catalog:*";
    let method = method_named(method);
    let base = |filled: String| bare(method, filled, path.to_owned());
    match (route, method) {
        (ServiceRoute::Keys, _) => base(path.to_owned()),
        (ServiceRoute::Token, "POST") => Operation {
            body: "service=harbor-registry&scope=repository:{project}/a:pull,push,delete+registry:catalog:*&grant_type=password",
            in_project: true,
            // Without a name and a secret it is no grant.
            also_refused: Some(400),
            log_in_by_form: true,
            says: Some(said::granted),
            ..base(path.to_owned())
        },
        (ServiceRoute::Token, _) => Operation {
            in_project: true,
            says: if method == "GET" { Some(said::granted) } else { None },
            ..base(format!("{path}?{ASKED}"))
        },
    }
}

/// Mounts of a blob that the public, the private and a third repository have into a repository that is new.
fn mounts() -> Vec<Operation> {
    /// Of the configuration that is in all of them.
    const BLOB: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let mount = |from: &str, label: &str, scopes| Operation {
        in_project: true,
        scopes,
        says: Some(said::mounted),
        ..bare(
            "POST",
            format!("/v2/{{project}}/m{{fresh}}/blobs/uploads/?mount={BLOB}{from}"),
            format!("/v2/<name>/blobs/uploads/?mount=<digest>{label}"),
        )
    };
    vec![
        mount("&from={project}/a", "&from=<own>", &[FRESH, "repository:{project}/a:pull"]),
        mount("&from=open/a", "&from=<public>", &[FRESH, "repository:open/a:pull"]),
        mount("&from={elsewhere}/a", "&from=<foreign>", &[FRESH, "repository:{elsewhere}/a:pull"]),
        mount("", "", &[FRESH]),
    ]
}

const FRESH: &str = "repository:{project}/m{fresh}:pull,push";

/// An operation of Harbor's API, once for each kind of thing that its path can name.
fn harbor(operation: berth_api_harbor::Operation) -> Vec<Operation> {
    let targets: &[(Target, &str)] = if operation.path.contains("{robot_id}") {
        &[
            (Target::Robot(Where::Here), " of the project"),
            (Target::Robot(Where::Elsewhere), " of another project"),
            (Target::Robot(Where::Installation), " of the installation"),
            (Target::Robot(Where::Nowhere), " that is not there"),
        ]
    } else if operation.path.contains("{user_id}") {
        &[(Target::Oneself, " about oneself"), (Target::Somebody, " about somebody else")]
    } else if operation.path.contains("{mid}") {
        &[(Target::Member(Where::Here), ""), (Target::Member(Where::Elsewhere), " of another project")]
    } else if operation.path.contains("{group_id}") {
        &[(Target::Group, "")]
    } else {
        &[(Target::Nothing, "")]
    };
    let robots = (operation.id == "ListRobot").then(|| robots_of_a_project(operation));
    let all = targets.iter().map(|(target, about)| about_one(operation, *target, about));
    all.chain(robots).collect()
}

fn about_one(operation: berth_api_harbor::Operation, target: Target, about: &str) -> Operation {
    let path =
        operation.path.replace("{project_name_or_id}", "{project}").replace("{meta_name}", "auto_scan");
    let path = ["{robot_id}", "{user_id}", "{group_id}", "{mid}"]
        .iter()
        .fold(path, |path, name| path.replace(name, "{target}"));
    let query = match operation.id {
        "headProject" => "?project_name={project}",
        "searchUsers" => "?username=guest",
        "searchUserGroups" => "?groupname=guest",
        "search" => "?q=e",
        _ => "",
    };
    let in_project = operation.path.contains("{project_name_or_id}")
        || matches!(operation.id, "headProject" | "CreateRobot")
        || target == Target::Robot(Where::Here);
    let gone = matches!(target, Target::Robot(Where::Nowhere) | Target::Member(Where::Elsewhere));
    Operation {
        body: body(operation),
        in_project,
        target,
        cookies: match operation {
            berth_api_harbor::Operation { id: "logOut", .. } => Cookies::Ended,
            berth_api_harbor::Operation { open: true, .. } => Cookies::Ignored,
            _ => Cookies::Taken,
        },
        also_refused: match operation.id {
            // A form asks this, where people may make themselves accounts; and robots have no user's account.
            "userExists" | "getCurrentUserInfo" => Some(412),
            _ => None,
        },
        says: if gone { Some(said::status) } else { said::of_harbor(operation.id) },
        ..bare(
            operation.method,
            format!("{path}{query}"),
            format!("{} ({}){about}", operation.path, operation.id),
        )
    }
}

/// What can be asked with `GET` can be asked with `HEAD`, unless that is an operation by itself.
fn with_head(operation: Operation) -> Vec<Operation> {
    let by_itself = operation.label.ends_with("(listProjects)");
    let head = (operation.method == "GET" && !by_itself).then(|| Operation {
        method: "HEAD",
        says: None,
        ..operation.clone()
    });
    [operation].into_iter().chain(head).collect()
}

fn robots_of_a_project(list: berth_api_harbor::Operation) -> Operation {
    let all = about_one(list, Target::Nothing, "");
    Operation {
        label: format!("{} of a project", all.label),
        path: format!("{}?q=Level%3Dproject,ProjectID%3D{{project_id}}&page_size=1", all.path),
        in_project: true,
        says: None,
        ..all
    }
}

/// A body that is understood, so that the answer is about the right and not about the body. An operation that changes something has
/// its line here, also if it is a new one.
fn body(operation: berth_api_harbor::Operation) -> &'static str {
    match operation.id {
        "createUser" => {
            r#"{"username":"made","email":"made@example.org","realname":"made","password":"Passw0rd of made"}"#
        }
        "updateUserProfile" => r#"{"email":"a{fresh}@example.org","realname":"a","comment":""}"#,
        "setUserSysAdmin" => r#"{"sysadmin_flag":false}"#,
        // Whoever is told that these are too short has got past.
        "updateUserPassword" => r#"{"new_password":"short"}"#,
        "setCliSecret" | "RefreshSec" => r#"{"secret":"short"}"#,
        "createUserGroup" => r#"{"group_name":"made","group_type":2}"#,
        "updateUserGroup" => r#"{"group_name":"other{fresh}","group_type":2}"#,
        "createProject" => r#"{"project_name":"made"}"#,
        "updateProject" => r#"{"metadata":{}}"#,
        "addProjectMetadatas" | "updateProjectMetadata" => r#"{"auto_scan":"true"}"#,
        "createProjectMember" => r#"{"role_id":3,"member_user":{"username":"nobody"}}"#,
        "updateProjectMember" => r#"{"role_id":3}"#,
        "CreateRobot" => {
            r#"{"name":"made","level":"project","duration":-1,"permissions":[{"kind":"project","namespace":"{project}","access":[{"resource":"robot","action":"create"}]}]}"#
        }
        "UpdateRobot" => "{}",
        "login" => "principal=nobody&password=nothing",
        "userExists" => "target=username&value=nobody",
        id => {
            let reads = matches!(operation.method, "GET" | "HEAD" | "DELETE");
            assert!(reads, "{id} changes something: what does it send here?");
            ""
        }
    }
}
