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
        verdict(&failed, only, total.ignored)
    ));
    let ignored = if total.ignored > 0 { format!(", {} ignored", total.ignored) } else { String::new() };
    report::say(&format!("berth: {} passed, {} failed{ignored}", total.passed, total.failed));
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

/// What the run was worth.
fn verdict(failed: &[&str], only: &[String], ignored: usize) -> String {
    if !failed.is_empty() {
        return format!("Failed: {}.", failed.join(", "));
    }
    let long = match ignored {
        0 => String::new(),
        count => format!(" {count} long tests did not run: `--soak` runs them."),
    };
    match only {
        [] if ignored == 0 => "Everything passed; nothing was skipped.".into(),
        [] => format!("Everything that ran passed.{long}"),
        names => format!("These passed, and no other step ran: {}.{long}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_says_what_did_not_run() {
        assert_eq!(verdict(&[], &[], 0), "Everything passed; nothing was skipped.");
        for partly in
            [verdict(&[], &[], 2), verdict(&[], &["lint".into()], 0), verdict(&[], &["unit".into()], 2)]
        {
            assert!(
                !partly.contains("verything passed") && !partly.contains("nothing was skipped"),
                "{partly}"
            );
        }
        assert!(verdict(&[], &[], 2).contains("2 long tests did not run"));
        assert!(verdict(&[], &["lint".into()], 0).contains("no other step ran: lint."));
        assert_eq!(verdict(&["unit"], &[], 2), "Failed: unit.");
    }

    #[test]
    fn an_unknown_step_is_named_with_those_that_exist() {
        let error = choose(&["lints".into()]).expect_err("no such step");
        assert!(error.to_string().contains("lint"), "{error}");
        assert_eq!(choose(&["layers".into()]).expect("a step").len(), 1);
        assert_eq!(choose(&[]).expect("all").len(), steps::ALL.len());
    }
}
