//! Harbor's own description, and whether an answer keeps to it.

use std::sync::LazyLock;

use serde_json::Value;

/// As Harbor has it: see `tests/harbor/NOTICE`.
const TEXT: &str = include_str!("../harbor/swagger.yaml");

pub(crate) static SWAGGER: LazyLock<Swagger> = LazyLock::new(Swagger::read);

/// The description.
pub(crate) struct Swagger(Value);

/// An operation of it.
pub(crate) struct Described<'a> {
    pub(crate) method: String,
    pub(crate) path: &'a str,
    pub(crate) id: &'a str,
    value: &'a Value,
}

impl Swagger {
    fn read() -> Self {
        Self(serde_saphyr::from_str(TEXT).expect("YAML"))
    }

    /// All operations.
    pub(crate) fn operations(&self) -> Vec<Described<'_>> {
        let paths = self.0["paths"].as_object().expect("paths");
        let operations = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.iter().filter_map(move |(method, value)| {
                let id = value["operationId"].as_str()?;
                Some(Described { method: method.to_uppercase(), path, id, value })
            })
        });
        operations.collect()
    }

    /// What of an answer with a good status is not as described.
    pub(crate) fn complaints(&self, id: &str, status: u16, body: &Value) -> Vec<String> {
        let operations = self.operations();
        let Some(operation) = operations.iter().find(|operation| operation.id == id) else {
            return Vec::new();
        };
        let Some(response) = operation.value["responses"].get(status.to_string()) else {
            return vec![format!("{id} does not answer {status}")];
        };
        let mut complaints = Vec::new();
        match self.resolve(response).get("schema") {
            Some(schema) => self.check(schema, body, id, &mut complaints),
            None if body.is_null() => {}
            None => complaints.push(format!("{id} has no body in {status}")),
        }
        complaints
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let pointer = reference.strip_prefix('#').expect("a reference within");
                self.0.pointer(pointer).expect("a reference that leads somewhere")
            }
            None => value,
        }
    }

    fn check(&self, schema: &Value, body: &Value, at: &str, complaints: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let kind = schema["type"].as_str().unwrap_or("object");
        let fits = match kind {
            "object" => body.is_object(),
            "array" => body.is_array(),
            "string" => body.is_string(),
            "integer" => body.is_i64(),
            "boolean" => body.is_boolean(),
            other => panic!("{at}: the description has {other}"),
        };
        if !fits {
            complaints.push(format!("{at} must be of type {kind}: {body}"));
            return;
        }
        if schema["format"] == "date-time" && !is_time(body.as_str().unwrap_or_default()) {
            complaints.push(format!("{at} must be a time with milliseconds: {body}"));
        }
        if let Some(entries) = body.as_array() {
            for (index, entry) in entries.iter().enumerate() {
                self.check(&schema["items"], entry, &format!("{at}[{index}]"), complaints);
            }
        }
        if let Some(fields) = body.as_object() {
            for (name, value) in fields {
                let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
                match known {
                    Some(schema) => self.check(schema, value, &format!("{at}.{name}"), complaints),
                    None => complaints.push(format!("{at}.{name} is not in the description")),
                }
            }
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    complaints.push(format!("{at}.{name} is missing"));
                }
            }
        }
    }
}

/// `2022-04-23T08:04:08.901Z`.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}

/// What every row of the table says is what Harbor's description says.
#[test]
fn the_table_is_harbors() {
    let described = SWAGGER.operations();
    for operation in berth_api_harbor::operations() {
        let Some(path) = operation.path.strip_prefix("/api/v2.0") else { continue };
        let found = described.iter().find(|described| described.id == operation.id);
        let found = found.unwrap_or_else(|| panic!("{} is not in the description", operation.id));
        assert_eq!((found.method.as_str(), found.path), (operation.method, path), "{}", operation.id);
    }
}

/// Nothing of the nouns that this door has is left out, but what waits for scanners and logs.
#[test]
fn nothing_of_these_nouns_is_left_out() {
    let nouns = [
        "user",
        "usergroup",
        "member",
        "projectMetadata",
        "robot",
        "permissions",
        "search",
        "ping",
        "health",
    ];
    let ours: Vec<_> = berth_api_harbor::operations().map(|operation| operation.id).collect();
    for described in SWAGGER.operations() {
        let tags = described.value["tags"].as_array().into_iter().flatten();
        let ask = tags.filter_map(Value::as_str).any(|tag| nouns.contains(&tag));
        if ask || described.path == "/search" {
            assert!(ours.contains(&described.id), "{} {} is left out", described.method, described.path);
        }
    }
}
