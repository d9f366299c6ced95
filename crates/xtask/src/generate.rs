//! `cargo xtask generate`: files, or parts of files, that follow from others.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::{process, report};

/// A file as it should be.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    text: String,
}

impl File {
    /// Whether the checkout holds it like this.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }
}

/// Writes every generated file that is not current.
pub(crate) fn run(context: &Context) -> Result<()> {
    process::run(process::cargo(context).args(["build", "--quiet", "--package", "berth-cli"]))?;
    for file in files(context)?.iter().filter(|file| !file.is_current()) {
        fs::write(&file.path, &file.text).with_context(|| format!("cannot write {}", file.path.display()))?;
        report::say(&format!("wrote {}", file.path.display()));
    }
    Ok(())
}

/// Every generated file as it should be.
pub(crate) fn files(context: &Context) -> Result<Vec<File>> {
    Ok(vec![readme(context)?, configuration(context)?])
}

/// The reference page of all settings, as the binary knows them.
fn configuration(context: &Context) -> Result<File> {
    let output = Command::new(context.binary()).args(["config", "reference"]).output();
    let output =
        output.with_context(|| format!("{} is needed; build berth-cli", context.binary().display()))?;
    anyhow::ensure!(output.status.success(), "`berth config reference` ended with {}", output.status);
    let text = String::from_utf8(output.stdout).context("`berth config reference` wrote no text")?;
    Ok(File { path: context.root().join("docs/configuration.md"), text })
}

const BEGIN: &str = "<!-- generated from docs/benchmarks.md -->\n";
const END: &str = "<!-- end of generated -->\n";

/// The README with the table of the last benchmark between its two marks.
fn readme(context: &Context) -> Result<File> {
    let path = context.root().join("README.md");
    let text = fs::read_to_string(&path).context("cannot read README.md")?;
    let benchmarks = fs::read_to_string(context.root().join("docs/benchmarks.md")).unwrap_or_default();
    let text = between(&text, &table(&benchmarks))
        .context("README.md has lost the marks around its generated part")?;
    Ok(File { path, text })
}

/// The first table of the benchmark's page, or a sentence while there is none.
fn table(benchmarks: &str) -> String {
    let lines =
        benchmarks.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let table: String = lines.flat_map(|line| [line, "\n"]).collect();
    if table.is_empty() {
        "Not measured yet on this machine: `cargo xtask bench` writes the table.\n".into()
    } else {
        table
    }
}

fn between(text: &str, part: &str) -> Option<String> {
    let (head, rest) = text.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}{part}{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_is_put_between_the_marks() {
        let part = table("# B\n\ntext\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| other |\n");
        let text = format!("x\n{BEGIN}old\n{END}y\n");
        let expected = format!("x\n{BEGIN}| a | b |\n|---|---|\n| 1 | 2 |\n{END}y\n");
        assert_eq!(between(&text, &part).as_deref(), Some(expected.as_str()));
        assert_eq!(between("no marks", &part), None);
        assert!(table("").contains("cargo xtask bench"));
    }
}
