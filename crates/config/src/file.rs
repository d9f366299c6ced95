//! The file's layer: names that exist, values of the right kind, each with its place.

use std::path::Path;

use serde_saphyr::{Location, Spanned};

use crate::layers::Layers;
use crate::section::{ALL, Table};
use crate::setting::Setting;
use crate::value::{Form, Takes};
use crate::yaml::Node;
use crate::{Origin, nearest, yaml};

/// Lays the file over what is set so far.
pub(crate) fn apply(path: &Path, text: &str, layers: &mut Layers) {
    let at = |place: Location| place_in(path, place.line(), place.column());
    match yaml::parse(text) {
        Ok(Node::Nothing) => {}
        Ok(Node::Mapping(sections)) => {
            for (name, node) in sections {
                match ALL.iter().find(|table| table.name == name.value) {
                    Some(table) => apply_section(path, table, node, layers),
                    None => layers.refuse(at(name.referenced), unknown_section(&name.value)),
                }
            }
        }
        Ok(other) => {
            let message = format!(
                "{} stands here, where sections are expected; write server: and its settings below it",
                other.what()
            );
            layers.refuse(place_in(path, 1, 1), message);
        }
        Err((line, column, said)) => {
            layers.refuse(place_in(path, line, column), said);
        }
    }
}

fn place_in(path: &Path, line: u64, column: u64) -> Origin {
    Origin::File { path: path.to_owned(), line: line.max(1), column: column.max(1) }
}

fn apply_section(path: &Path, table: &'static Table, node: Spanned<Node>, layers: &mut Layers) {
    let at = |place: Location| place_in(path, place.line(), place.column());
    match node.value {
        Node::Nothing => {}
        Node::Mapping(settings) => {
            for (key, value) in settings {
                match table.settings.iter().find(|setting| setting.key == key.value) {
                    Some(setting) => match text_of(setting, &value.value) {
                        Ok(text) => layers.set(setting, &text, at(value.referenced)),
                        Err(message) => layers
                            .refuse(at(value.referenced), format!("{}.{}: {message}", table.name, key.value)),
                    },
                    None => layers.refuse(at(key.referenced), unknown_key(table, &key.value)),
                }
            }
        }
        other => {
            let message = format!(
                "{}: {} stands here, where settings are expected; write {}: below it",
                table.name,
                other.what(),
                table.settings[0].key
            );
            layers.refuse(at(node.referenced), message);
        }
    }
}

/// The text of a value, if YAML takes it for what the setting needs.
fn text_of(setting: &Setting, node: &Node) -> Result<String, String> {
    let form = &setting.form;
    match (node, form.takes) {
        (Node::Text(text), Takes::Text | Takes::Either) => Ok(text.clone()),
        (Node::Number(number), Takes::Number | Takes::Either) => Ok(number.clone()),
        (Node::Flag(flag), Takes::Flag) => Ok(flag.to_string()),
        (Node::List(entries), _) if form.list => {
            let words = entries.iter().map(|entry| match &entry.value {
                Node::Text(word) => Ok(word.as_str()),
                other => Err(misplaced(form, other)),
            });
            Ok(words.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        (Node::Nothing, _) => {
            Err(format!("nothing stands here; write {}, or remove the line to use the default", form.write))
        }
        (Node::Number(_) | Node::Flag(_), Takes::Text) if form.choices.is_empty() => {
            Err(format!("{}; put it in quotes if it is meant", misplaced(form, node)))
        }
        (node, _) => Err(misplaced(form, node)),
    }
}

fn misplaced(form: &Form, node: &Node) -> String {
    format!("{} stands here, where {} is expected; write {}", node.what(), form.what, form.write)
}

fn unknown_section(name: &str) -> String {
    if let Some(setting) = Setting::all().find(|setting| setting.key == name) {
        return format!("there is no section {name:?}; {name} stands in the section {}", setting.section);
    }
    match nearest::name(name, ALL.iter().map(|table| table.name)) {
        Some(near) => format!("there is no section {name:?}; write {near}"),
        None => {
            format!("there is no section {name:?}; there are {}", listed(ALL.iter().map(|table| table.name)))
        }
    }
}

fn unknown_key(table: &Table, key: &str) -> String {
    let name = table.name;
    let keys = || table.settings.iter().map(|setting| setting.key);
    if let Some(near) = nearest::name(key, keys()) {
        return format!("{name} has no setting {key:?}; write {near}");
    }
    match Setting::all().find(|setting| setting.key == key) {
        Some(elsewhere) => {
            format!("{name} has no setting {key:?}; it stands in the section {}", elsewhere.section)
        }
        None => format!("{name} has no setting {key:?}; it has {}", listed(keys())),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
