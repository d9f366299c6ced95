//! `berth admin robots`.

use std::process::ExitCode;

use anyhow::Result;
use berth_domain::{Clock, SystemClock, Timestamp};
use berth_server::administration::{self, ListedRobot};
use clap::Args;

use crate::output;
use crate::settings::ConfigFlags;

const HEAD: [&str; 5] = ["NAME", "LEVEL", "EXPIRES", "STATE", "LAST USED (UTC)"];

/// Lists all robots and when each last showed its secret, beside a running server or without one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth admin robots
  berth admin robots | grep never$

A running server writes uses down every few seconds. What a robot does with a token that it has is no use of its secret.")]
pub(crate) struct Robots {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Robots {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let config = self.flags.load(Vec::new())?.config;
        output::say(table(&administration::robots(&config).await?, SystemClock.now()).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}

fn table(robots: &[ListedRobot], now: Timestamp) -> String {
    let head = HEAD.map(str::to_owned);
    let lines: Vec<_> = std::iter::once(head).chain(robots.iter().map(|robot| cells(robot, now))).collect();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default()
    });
    let text = |line: &[String; 5]| {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(text).collect()
}

fn cells(robot: &ListedRobot, now: Timestamp) -> [String; 5] {
    let state = match robot.expires_at {
        Some(end) if end <= now => "expired",
        _ if robot.disabled => "disabled",
        _ => "enabled",
    };
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), minute);
    [
        robot.name.clone(),
        robot.project.as_ref().map_or_else(|| "system".to_owned(), |name| format!("project {name}")),
        moment(robot.expires_at),
        state.to_owned(),
        moment(robot.last_used_at),
    ]
}

fn minute(at: Timestamp) -> String {
    let at = at.to_utc();
    format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let robot = |name: &str, project: Option<&str>, expires_at, disabled, last_used_at| ListedRobot {
            name: name.to_owned(),
            project: project.map(|name| name.parse().unwrap()),
            expires_at,
            disabled,
            last_used_at,
        };
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let (past, end) = (Some(now), Some(Timestamp::from_micros(1_800_003_600_000_000)));
        let robots = [
            robot("robot$backup", None, None, false, None),
            robot("robot$team+nightly-build", Some("team"), end, true, past),
            robot("robot$team+old", Some("team"), past, false, past),
        ];
        let table = table(&robots, now);
        let lines = [
            "NAME                      LEVEL         EXPIRES           STATE     LAST USED (UTC)",
            "robot$backup              system        never             enabled   never",
            "robot$team+nightly-build  project team  2027-01-15 09:00  disabled  2027-01-15 08:00",
            "robot$team+old            project team  2027-01-15 08:00  expired   2027-01-15 08:00",
        ];
        assert_eq!(table.lines().collect::<Vec<_>>(), lines);
    }
}
