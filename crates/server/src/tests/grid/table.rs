//! How the table is written down.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::PUBLIC;
use super::cast::{Audience, BY_GROUP};
use super::operations::Operation;

/// Of so many it is said who is missing, if that is shorter. People are always named.
const CROWD: usize = 30;

/// Audiences by their kinds, each with whether it asks about the public project.
type Kinds<'a> = Vec<(&'a str, bool)>;

/// Everything, operation by operation.
#[derive(Debug, Default)]
pub(super) struct Table {
    sections: Vec<Section>,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Section {
    methods: &'static str,
    path: String,
    in_project: bool,
    /// What is written of each audience: its kind, whether it asks about the public project, and its lines.
    lines: Vec<(&'static str, bool, Vec<String>)>,
    /// Who got past in each audience, whatever they were told.
    passed: Vec<Vec<String>>,
}

impl Table {
    /// Adds one; what `HEAD` lets pass as `GET` does becomes one with it.
    pub(super) fn add(&mut self, section: Section) {
        if let Some(before) = self.sections.last_mut()
            && (before.methods, section.methods) == ("GET", "HEAD")
            && before.path == section.path
            && before.passed == section.passed
        {
            before.methods = "GET HEAD";
            return;
        }
        self.sections.push(section);
    }

    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            writeln!(text, "{} {}", section.methods, section.path).unwrap();
            for (audiences, said) in section.merged() {
                for line in said {
                    writeln!(text, "  {audiences}: {line}").unwrap();
                }
            }
        }
        text
    }
}

impl Section {
    pub(super) fn new(operation: &Operation) -> Self {
        let path = operation.label.clone();
        let (methods, in_project) = (operation.method, operation.in_project);
        Self { methods, path, in_project, lines: Vec::new(), passed: Vec::new() }
    }

    /// Adds what an audience was told.
    pub(super) fn add(&mut self, audience: &Audience<'_>, answers: &[(&str, Option<String>)]) {
        let all: Vec<_> = answers.iter().map(|(name, _)| *name).collect();
        let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, said) in answers {
            if let Some(said) = said {
                told.entry(said).or_default().push(name);
            }
        }
        let passed = answers.iter().filter(|(_, said)| said.is_some());
        self.passed.push(passed.map(|(name, _)| (*name).to_owned()).collect());
        let mut lines: Vec<_> = told.iter().map(|(said, names)| line(said, names, &all)).collect();
        if lines.is_empty() {
            lines.push("nobody".to_owned());
        }
        self.lines.push((audience.kind, audience.project == PUBLIC, lines));
    }

    /// The lines, each with all audiences for which it is the same.
    fn merged(&self) -> Vec<(String, &[String])> {
        let mut merged: Vec<(Kinds<'_>, &[String])> = Vec::new();
        for (kind, open, lines) in &self.lines {
            match merged.iter_mut().find(|(_, known)| known == lines) {
                Some((audiences, _)) => audiences.push((kind, *open)),
                None => merged.push((vec![(kind, *open)], lines)),
            }
        }
        merged.into_iter().map(|(audiences, lines)| (self.names(&audiences), lines)).collect()
    }

    /// The kinds that are among these audiences, each with the project that it asks about if not with both.
    fn names(&self, audiences: &[(&str, bool)]) -> String {
        let mut names = Vec::new();
        for &(kind, open) in audiences {
            let both = !self.in_project || audiences.contains(&(kind, !open));
            let name = match (both, open) {
                (true, _) => kind.to_owned(),
                (false, true) => format!("open {kind}"),
                (false, false) => format!("closed {kind}"),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }
}

fn line(said: &str, names: &[&str], all: &[&str]) -> String {
    let others = || all.iter().copied().filter(|name| !names.contains(name)).collect::<Vec<_>>();
    let who = if names.len() == all.len() {
        "everybody".to_owned()
    } else if all.len() > CROWD && 2 * names.len() > all.len() {
        format!("everybody but {}", others().join(" "))
    } else {
        together(names, all).join(" ")
    };
    if said.is_empty() { who } else { format!("{who} → {said}") }
}

/// The names; a role and the same role by a group are one, and where only the person may, that is said.
fn together(names: &[&str], all: &[&str]) -> Vec<String> {
    let told = names.iter().filter_map(|&name| {
        if let Some(role) = name.strip_suffix(BY_GROUP) {
            return (!names.contains(&role)).then(|| name.to_owned());
        }
        let by_group = format!("{name}{BY_GROUP}");
        let only_person = all.contains(&&*by_group) && !names.contains(&&*by_group);
        Some(if only_person { format!("{name}-by-person") } else { name.to_owned() })
    });
    told.collect()
}
