//! The size budget, and where `unsafe` may be written.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Outcome, source};
use crate::context::Context;

/// The longest file, in production lines.
const FILE: usize = 500;
/// The longest inline test module; longer ones go to `tests.rs` beside.
const INLINE_TESTS: usize = 150;
/// The one room with `unsafe`.
const UNSAFE: &str = "crates/mapped-file/";

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let mut complaints = Vec::new();
    let files = source::files(context.root(), &["rs"])?;
    for file in &files {
        let name = file.strip_prefix(context.root()).unwrap_or(file).to_string_lossy().into_owned();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        complaints.extend(judge(&name, &text));
    }
    complaints.extend(manifests_without_lints(context.root())?);
    if !complaints.is_empty() {
        bail!("the size budget does not hold:\n  {}", complaints.join("\n  "));
    }
    Ok(Outcome::passed(files.len()))
}

fn judge(name: &str, text: &str) -> Vec<String> {
    let lines = source::count(text);
    let mut complaints = Vec::new();
    if lines.production > FILE {
        complaints
            .push(format!("{name}: {} production lines, {FILE} at most: split it by noun", lines.production));
    }
    if lines.tests > INLINE_TESTS {
        complaints.push(format!(
            "{name}: {} lines of inline tests, {INLINE_TESTS} at most: move them to tests.rs",
            lines.tests
        ));
    }
    if !name.starts_with(UNSAFE) && has_word(&source::code_only(text), "unsafe") {
        complaints.push(format!("{name}: `unsafe` lives in {UNSAFE} alone"));
    }
    if !text.starts_with("//! ") {
        complaints.push(format!("{name}: begins with a `//!` sentence that says what the file is"));
    }
    complaints
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|char: char| !char.is_alphanumeric() && char != '_').any(|found| found == word)
}

/// Rooms whose manifest does not take the workspace's lints, by which `unsafe` is forbidden.
fn manifests_without_lints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for file in source::files(root, &["toml"])? {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
        let is_room = text.contains("[package]") && !name.starts_with(UNSAFE) && !name.starts_with("fuzz/");
        if is_room && !text.contains("[lints]\nworkspace = true") {
            complaints.push(format!("{name}: takes the workspace's lints (`[lints] workspace = true`)"));
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_budget_is_named() {
        let long = format!("//! A.\n{}", "fn a() {}\n".repeat(FILE));
        assert_eq!(judge("crates/x/src/a.rs", &long).len(), 1);
        assert!(judge("crates/x/src/a.rs", "//! A.\nfn a() {}\n").is_empty());
    }

    #[test]
    fn long_inline_tests_are_named() {
        let text =
            format!("//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn a() {}\n".repeat(INLINE_TESTS));
        assert_eq!(judge("crates/x/src/a.rs", &text).len(), 1);
    }

    #[test]
    fn unsafe_has_one_home() {
        let text = "//! A.\nfn a() { unsafe { b() } }\n";
        assert_eq!(judge("crates/x/src/a.rs", text).len(), 1);
        assert!(judge("crates/mapped-file/src/a.rs", text).is_empty());
        assert!(judge("crates/x/src/a.rs", "//! No unsafe_code here: \"unsafe\".\n").is_empty());
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert_eq!(judge("crates/x/src/a.rs", "fn a() {}\n").len(), 1);
    }
}
