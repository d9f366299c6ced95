//! The environment's layer: `BERTH_<SECTION>__<KEY>`, the short names, and secrets from files.

use std::collections::BTreeMap;

use crate::layers::Layers;
use crate::{Origin, Setting, nearest};

/// What begins the names of all our variables.
const PREFIX: &str = "BERTH_";
/// Read by the command line, not a setting.
const CONFIG: &str = "BERTH_CONFIG";

/// Lays the environment over what is set so far.
pub(crate) fn apply(environment: &[(String, String)], layers: &mut Layers) {
    let ours: BTreeMap<&str, &str> = environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && name != CONFIG)
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut set_by: BTreeMap<String, &str> = BTreeMap::new();
    for (&name, &value) in &ours {
        let origin = Origin::Environment(name.to_owned());
        match meaning(name) {
            Meaning::Setting(setting, from_file) => {
                if let Some(other) = set_by.insert(setting.variable(), name) {
                    layers.refuse(origin, format!("{other} sets the same; remove one of them"));
                } else if !from_file {
                    layers.set(setting, value, origin);
                } else {
                    set_from_file(setting, value, origin, layers);
                }
            }
            Meaning::Wrong(message) => layers.refuse(origin, message),
            Meaning::Foreign => {
                layers
                    .warn(format!("{origin}: this sets nothing; settings are named BERTH_<SECTION>__<KEY>"));
            }
        }
    }
}

enum Meaning {
    /// It sets this, with its value or with the content of the file that its value names.
    Setting(&'static Setting, bool),
    /// It looks like a setting and is none.
    Wrong(String),
    /// It is somebody else's.
    Foreign,
}

fn meaning(name: &str) -> Meaning {
    let base = name.strip_suffix("_FILE");
    let named = |wanted: &str| {
        Setting::all()
            .find(|setting| setting.variable() == wanted || setting.short_variable() == Some(wanted))
    };
    if let Some(setting) = named(name) {
        return Meaning::Setting(setting, false);
    }
    let in_file = base.and_then(named);
    if let Some(secret) = in_file.filter(|setting| setting.form.secret) {
        return Meaning::Setting(secret, true);
    }
    if !name[PREFIX.len()..].contains("__") {
        return Meaning::Foreign;
    }
    if let Some(setting) = in_file {
        return Meaning::Wrong(format!("only secrets are read from files; write {}", setting.variable()));
    }
    let variables: Vec<String> = Setting::all().map(Setting::variable).collect();
    // What all names begin with makes none of them near.
    let ends = variables.iter().map(|variable| &variable[PREFIX.len()..]);
    Meaning::Wrong(match nearest::name(&name[PREFIX.len()..], ends) {
        Some(near) => format!("there is no such setting; write {PREFIX}{near}"),
        None => "there is no such setting; `berth config show` lists all".to_owned(),
    })
}

fn set_from_file(setting: &'static Setting, path: &str, origin: Origin, layers: &mut Layers) {
    match std::fs::read_to_string(path) {
        Ok(text) => layers.set(setting, text.trim_end_matches(['\r', '\n']), origin),
        Err(error) => layers.refuse(origin, format!("{path} cannot be read: {error}; name a readable file")),
    }
}
