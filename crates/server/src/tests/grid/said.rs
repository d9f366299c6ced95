//! What an answer says of what its caller may see, where that depends on the caller.

use serde_json::Value;

/// Makes a few words of a status and a body.
pub(super) type Says = fn(u16, &Value) -> String;

/// How many names are written down; of more only their number.
const NAMED: usize = 6;

/// For the operations of Harbor's API that show different things to different callers.
pub(super) fn of_harbor(id: &str) -> Option<Says> {
    let says: Says = match id {
        "listProjects" => |_, body| each(body, "name"),
        "listUsers" | "searchUsers" => |_, body| each(body, "username"),
        "listUserGroups" | "searchUserGroups" => |_, body| each(body, "group_name"),
        "listProjectMembers" => |_, body| each(body, "entity_name"),
        "ListRobot" => |_, body| each(body, "name"),
        "search" => |_, body| {
            let repositories = each(&body["repository"], "repository_name");
            format!("{} and {repositories}", each(&body["project"], "name"))
        },
        "listProjectMetadatas" | "getProjectSummary" | "getPermissions" | "getSystemInfo" => keys,
        _ => return None,
    };
    Some(says)
}

/// The status alone: what is not there is to be answered as such.
pub(super) fn status(status: u16, _: &Value) -> String {
    status.to_string()
}

/// For a list of repositories.
pub(super) fn repositories(_: u16, body: &Value) -> String {
    names(texts(&body["repositories"]))
}

/// For a list of tags.
pub(super) fn tags(_: u16, body: &Value) -> String {
    names(texts(&body["tags"]))
}

/// Whether a blob was mounted, or an upload begun instead.
pub(super) fn mounted(status: u16, _: &Value) -> String {
    match status {
        201 => "mounted".to_owned(),
        202 => "an upload".to_owned(),
        other => format!("{other}"),
    }
}

/// What a token was granted, read from the token itself.
pub(super) fn granted(_: u16, body: &Value) -> String {
    use base64::Engine as _;
    let token = body["token"].as_str().expect("a token");
    let claims = token.split('.').nth(1).expect("claims");
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    let access = claims["access"].as_array().expect("a list");
    let each = access.iter().map(|one| {
        let actions = names_in_order(&texts(&one["actions"]));
        format!("{}:{actions}", one["type"].as_str().expect("a type"))
    });
    each.collect::<Vec<_>>().join(" ")
}

fn keys(_: u16, body: &Value) -> String {
    names(body.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default())
}

fn each(list: &Value, field: &str) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    names(list.iter().map(|one| one[field].as_str().expect(field).to_owned()).collect())
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

fn names(mut names: Vec<String>) -> String {
    names.sort_unstable();
    names_in_order(&names)
}

fn names_in_order(names: &[String]) -> String {
    match names.len() {
        0 => "nothing".to_owned(),
        count if count > NAMED => format!("{count} of them"),
        _ => names.join(","),
    }
}
