//! Every operation of every door, as the doors list them, with a request that harms nothing.

use berth_api_distribution::Route;

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) label: String,
    pub(super) method: &'static str,
    path: String,
    pub(super) body: &'static str,
    /// Whether it lies in a project.
    pub(super) in_project: bool,
    /// Whether its target is a robot that must be there.
    pub(super) of_robot: bool,
}

impl Operation {
    /// The path in a project, about the target if it has one.
    pub(super) fn path(&self, project: &str, target: i64) -> String {
        self.path.replace("{project}", project).replace("{target}", &target.to_string())
    }

    pub(super) fn content_type(&self) -> &'static str {
        if self.path.starts_with("/c/") { "application/x-www-form-urlencoded" } else { "application/json" }
    }
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const NOBODY: &str = "99999";

/// All of them, door by door.
pub(super) fn operations() -> Vec<Operation> {
    let registry = paths().into_iter().flat_map(|path| {
        let route = Route::parse(path.split('?').next().unwrap_or_default()).expect("a path of the API");
        assert!(is_listed(&route));
        let methods = route.allow().split(", ").map(str::to_owned).collect::<Vec<_>>();
        methods.into_iter().map(move |method| registry(&path, &method))
    });
    registry.chain(berth_api_harbor::operations().map(harbor)).collect()
}

/// One path for each thing that a path of the registry can name. `{project}` stands for the project in all of them.
fn paths() -> Vec<String> {
    let upload = uuid::Uuid::nil();
    let inside = [
        "_oci/ext/discover".to_owned(),
        format!("blobs/{DIGEST}"),
        "blobs/uploads/".to_owned(),
        format!("blobs/uploads/{upload}?digest={DIGEST}"),
        "manifests/none".to_owned(),
        format!("manifests/{DIGEST}"),
        "tags/list".to_owned(),
        format!("referrers/{DIGEST}"),
    ];
    let outside = ["/v2/", "/v2/_catalog", "/v2/_oci/ext/discover"].map(str::to_owned);
    // The name stands for itself here, so that the path can be parsed; see `registry`.
    outside.into_iter().chain(inside.into_iter().map(|rest| format!("/v2/project/a/{rest}"))).collect()
}

/// Whether [`paths`] has one for it: a variant that is added to the routes must be added there, too.
fn is_listed(route: &Route) -> bool {
    match route {
        Route::Base
        | Route::Catalog
        | Route::ExtensionsDiscover
        | Route::RepositoryExtensions { .. }
        | Route::Blob { .. }
        | Route::Uploads { .. }
        | Route::Upload { .. }
        | Route::Manifest { .. }
        | Route::Tags { .. }
        | Route::Referrers { .. } => true,
    }
}

fn registry(path: &str, method: &str) -> Operation {
    let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|known| *known == method)
        .expect("a method that is known here");
    let shown = path.split('?').next().unwrap_or_default().replace(DIGEST, "<digest>");
    Operation {
        label: format!("{method} {}", shown.replace("project/a", "<name>")),
        method,
        path: path.replace("project/a", "{project}/a"),
        body: "",
        in_project: path.contains("project/a"),
        of_robot: false,
    }
}

fn harbor(operation: berth_api_harbor::Operation) -> Operation {
    let in_project = operation.path.contains("{project_name_or_id}");
    let of_robot = operation.path.contains("{robot_id}");
    let path = operation.path.replace("{project_name_or_id}", "{project}").replace("{robot_id}", "{target}");
    let path =
        ["{user_id}", "{group_id}", "{mid}"].iter().fold(path, |path, name| path.replace(name, NOBODY));
    let query = match operation.id {
        "headProject" => "?project_name={project}",
        "searchUsers" => "?username=nobody",
        "searchUserGroups" => "?groupname=nobody",
        "search" => "?q=nothing",
        _ => "",
    };
    Operation {
        label: format!("{} {} ({})", operation.method, operation.path, operation.id),
        method: operation.method,
        path: format!("{}{query}", path.replace("{meta_name}", "auto_scan")),
        body: body(operation.id),
        in_project: in_project || of_robot || matches!(operation.id, "headProject" | "CreateRobot"),
        of_robot,
    }
}

/// A body that is understood, so that the answer is about the right and not about the body.
fn body(id: &str) -> &'static str {
    match id {
        "createUser" => {
            r#"{"username":"made","email":"made@example.org","realname":"made","password":"Passw0rd of made"}"#
        }
        "updateUserProfile" => r#"{"email":"a@example.org","realname":"a","comment":""}"#,
        "setUserSysAdmin" => r#"{"sysadmin_flag":true}"#,
        "updateUserPassword" => {
            r#"{"old_password":"Passw0rd of nobody","new_password":"Passw0rd of somebody"}"#
        }
        "setCliSecret" => r#"{"secret":"Passw0rd of nobody"}"#,
        "createUserGroup" => r#"{"group_name":"made","group_type":2}"#,
        "updateUserGroup" => r#"{"group_name":"other","group_type":2}"#,
        "createProject" => r#"{"project_name":"made"}"#,
        "updateProject" => r#"{"metadata":{}}"#,
        "addProjectMetadatas" | "updateProjectMetadata" => r#"{"auto_scan":"true"}"#,
        "createProjectMember" => r#"{"role_id":3,"member_user":{"username":"nobody"}}"#,
        "updateProjectMember" => r#"{"role_id":3}"#,
        "CreateRobot" => {
            r#"{"name":"made","level":"project","duration":-1,"permissions":[{"kind":"project","namespace":"closed","access":[{"resource":"robot","action":"create"}]}]}"#
        }
        "UpdateRobot" => "{}",
        "RefreshSec" => r#"{"secret":"short"}"#,
        "login" => "principal=nobody&password=nothing",
        "userExists" => "target=username&value=nobody",
        _ => "",
    }
}
