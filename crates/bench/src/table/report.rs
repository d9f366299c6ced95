//! The page with the table, as markdown.

use std::fmt;

use super::{Goal, Row};
use crate::contestant::berth;
use crate::machine::description::Machine;

/// What follows this mark on the page was written by a person and is kept.
pub(crate) const BY_HAND: &str = "<!-- Below this line: written by hand, kept by the benchmark. -->";

/// Everything that was measured in one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// The columns, Berth first: names, and versions where they are known.
    pub(crate) servers: Vec<(String, Option<String>)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) remarks: Vec<String>,
    pub(crate) rounds: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, rounds, .. } = self;
        writeln!(f, "# Benchmarks\n")?;
        writeln!(f, "Written by `cargo xtask bench`, down to the mark at the end.\n")?;
        writeln!(f, "Machine: {machine}.\n")?;
        writeln!(
            f,
            "Berth and its peers ran on this machine under the same load generator, which shares the cores with them. \
             Each figure is the median of {rounds} rounds in which the servers took turns. In brackets: CPU seconds of the \
             server per GB, or per 1,000 requests. Page cache warm; access logs off; everything else as it comes.\n"
        )?;
        let versions =
            self.servers.iter().filter_map(|(name, version)| Some(format!("{name} {}", version.as_ref()?)));
        writeln!(f, "Versions: {}.\n", versions.collect::<Vec<_>>().join(", "))?;
        let names: Vec<&str> = self.servers.iter().map(|(name, _)| name.as_str()).collect();
        table(f, &names, &self.rows)?;
        if !self.remarks.is_empty() {
            writeln!(f, "\nRemarks:\n")?;
            for remark in &self.remarks {
                writeln!(f, "- {}", remark.replace('\n', " "))?;
            }
        }
        Ok(())
    }
}

fn table(f: &mut fmt::Formatter<'_>, names: &[&str], rows: &[Row]) -> fmt::Result {
    let heads = names.iter().copied().chain(["ratio", "goal", "reached", "CPU ratio"]);
    writeln!(f, "| line | {} |", heads.collect::<Vec<_>>().join(" | "))?;
    writeln!(f, "|{}", " --- |".repeat(names.len() + 5))?;
    for row in rows {
        let cells = names.iter().map(|name| cell(row, name)).chain([
            ratios(row),
            goals(row),
            reached(row),
            thrift(row),
        ]);
        writeln!(f, "| {} | {} |", row.title, cells.collect::<Vec<_>>().join(" | "))?;
    }
    Ok(())
}

fn cell(row: &Row, server: &str) -> String {
    let Some(value) = row.value(server) else { return "—".to_owned() };
    let value = row.unit.show(value);
    match row.cpu(server) {
        // Small requests cost hundredths of a second a thousand.
        Some(cpu) if cpu < 0.1 => format!("{value} ({cpu:.4})"),
        Some(cpu) => format!("{value} ({cpu:.2})"),
        None => value,
    }
}

fn ratios(row: &Row) -> String {
    let mut ratios: Vec<String> = plain_goals(row).filter_map(|goal| goal.outcome(row).ratio).collect();
    if let Some(bound) = row.bound() {
        ratios.push(format!("bound {}", row.unit.show(bound)));
    }
    join(&ratios)
}

fn plain_goals(row: &Row) -> impl Iterator<Item = Goal> {
    row.goals.iter().copied().filter(|goal| !goal.is_thrift())
}

fn goals(row: &Row) -> String {
    join(&row.goals.iter().map(|goal| goal.words(row.unit)).collect::<Vec<_>>())
}

fn reached(row: &Row) -> String {
    let word = |goal: &Goal| match goal.outcome(row).reached {
        Some(true) => "yes".to_owned(),
        Some(false) => "**no**".to_owned(),
        None => "not measured".to_owned(),
    };
    join(&row.goals.iter().map(word).collect::<Vec<_>>())
}

/// Shown for every row with CPU seconds, whether there is a goal for it or not.
fn thrift(row: &Row) -> String {
    let compared = row.cpu(berth::NAME).and_then(|_| Goal::Thrift(1.0).outcome(row).ratio);
    compared.unwrap_or_else(|| "—".to_owned())
}

fn join(parts: &[String]) -> String {
    if parts.is_empty() { "—".to_owned() } else { parts.join("; ") }
}

#[cfg(test)]
mod tests;
