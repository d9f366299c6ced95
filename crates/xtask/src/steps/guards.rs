//! Every use case begins with its check: the first statement of each `pub async fn` in an `impl Guarded` asks for a right.

use std::fs;

use anyhow::{Context as _, Result, bail};

use super::{Outcome, source};
use crate::context::Context;

/// What asks: the checks of `Guarded`, and what looks a thing up for whoever may act on it.
const ASKS: &[&str] = &["self.check", "access.check", "self.project_for(", "self.robot_for("];
/// What everybody may ask; what it says to whom is its own first decision.
const OPEN: &[&str] = &["health", "system_info"];

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let (mut seen, mut complaints) = (0, Vec::new());
    for file in source::files(context.root(), &["rs"])? {
        let name = file.strip_prefix(context.root()).unwrap_or(&file).to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
        for (use_case, asks) in use_cases(&source::code_only(&text)) {
            seen += 1;
            if !asks && !OPEN.contains(&use_case.as_str()) {
                complaints.push(format!("{name}: {use_case} begins with its check ({})", ASKS.join(", ")));
            }
        }
    }
    if !complaints.is_empty() {
        bail!("not every use case is guarded:\n  {}", complaints.join("\n  "));
    }
    Ok(Outcome::passed(seen))
}

/// The use cases in a file, and whether each begins with a check. The code is as rustfmt writes it: a block that stands in the first
/// column ends with a brace that does too.
fn use_cases(code: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for block in code.split("\nimpl Guarded<").skip(1) {
        let block = &block[..block.find("\n}").unwrap_or(block.len())];
        for function in block.split("\n    pub async fn ").skip(1) {
            let name = function.split(|char: char| !char.is_alphanumeric() && char != '_').next();
            // The body begins after the brace that ends a line; its first statement goes to a semicolon, or to a block's brace.
            let body = function.split_once("{\n").map_or("", |(_, body)| body);
            let end = [";", "{\n"].iter().filter_map(|end| body.find(end)).min().unwrap_or(body.len());
            let first = &body[..end];
            found.push((name.unwrap_or_default().to_owned(), ASKS.iter().any(|ask| first.contains(ask))));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Vec<(String, bool)> {
        use_cases(&format!(
            "//! A.\nimpl Guarded<'_> {{\n    /// Does.\n    pub async fn act(&self) -> Result<()> {{\n        {body}\n    }}\n}}\n"
        ))
    }

    #[test]
    fn a_check_comes_first() {
        for good in [
            "self.check(A, B).await?;",
            "let project = self.project_for(named, A, B).await?;\n        other();",
            "let Robot { id } = self.robot_for(id, A).await?;",
            "if self.check(A, B).await.is_err() {\n        }",
        ] {
            assert_eq!(of(good), [("act".to_owned(), true)], "{good}");
        }
        for bad in ["read().await?;\n        self.check(A, B).await?;", "Ok(())", "match a {\n        }"] {
            assert_eq!(of(bad), [("act".to_owned(), false)], "{bad}");
        }
    }

    #[test]
    fn only_the_public_ones_of_the_handle_are_use_cases() {
        let code = "\nimpl Guarded<'_> {\n    async fn inner(&self) {\n    }\n}\nimpl Other {\n    pub async fn act() {\n    }\n}\n";
        assert_eq!(use_cases(code), []);
    }
}
