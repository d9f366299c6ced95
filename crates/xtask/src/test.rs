//! `cargo xtask test`: every check and test, in an order in which the cheap ones fail first.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::context::Context;
use crate::report;
use crate::steps::{self, Outcome, Step};

/// Runs the steps named in `only`, or all, and ends with one line that says what passed.
pub(crate) fn run(context: &Context, only: &[String]) -> Result<()> {
    let chosen = choose(only)?;
    let began = Instant::now();
    let mut total = Outcome::default();
    let mut failed = Vec::new();
    for (index, step) in chosen.iter().enumerate() {
        report::begin(index + 1, chosen.len(), step.name, step.what);
        let outcome = run_one(context, step);
        if outcome.failed > 0 {
            failed.push(step.name);
        }
        total = total.and(&outcome);
        if outcome.failed > 0 && step.needed {
            report::say(&format!("nothing after `{}` can be trusted without it: stopping", step.name));
            break;
        }
    }
    report::say(&format!(
        "\n{} steps in {:.0} s. {}",
        chosen.len(),
        began.elapsed().as_secs_f64(),
        verdict(&failed)
    ));
    report::say(&format!("berth: {} passed, {} failed", total.passed, total.failed));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn choose(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| !steps::ALL.iter().any(|step| step.name == **name)) {
        let names: Vec<_> = steps::ALL.iter().map(|step| step.name).collect();
        bail!("no step is called `{unknown}`; there are: {}", names.join(", "));
    }
    Ok(steps::ALL
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .collect())
}

/// Runs a step; an error counts as one failure.
fn run_one(context: &Context, step: &Step) -> Outcome {
    let began = Instant::now();
    let outcome = (step.run)(context).unwrap_or_else(|error| {
        report::error(&error);
        Outcome::failed()
    });
    let note = if outcome.failed == 0 {
        format!("ok, {} passed", outcome.passed)
    } else {
        format!("FAILED, {} passed, {} failed", outcome.passed, outcome.failed)
    };
    report::end(step.name, began.elapsed(), &note);
    outcome
}

fn verdict(failed: &[&str]) -> String {
    match failed {
        [] => "Everything passed; nothing was skipped.".into(),
        names => format!("Failed: {}.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_named_with_those_that_exist() {
        let error = choose(&["lints".into()]).expect_err("no such step");
        assert!(error.to_string().contains("lint"), "{error}");
        assert_eq!(choose(&["layers".into()]).expect("a step").len(), 1);
        assert_eq!(choose(&[]).expect("all").len(), steps::ALL.len());
    }
}
