//! Tokens: of a person in a large house, and of a fleet of robots that logs in at once.

use std::time::{Duration, Instant};

use super::Line;
use crate::client::rest;
use crate::client::storm::storm_of;
use crate::content::Dice;
use crate::fill;
use crate::lab::{Lab, Transport};
use crate::machine::meter::Meter;
use crate::scale::grouped;
use crate::statistics::percentile;
use crate::table::{Figure, Goal, Row, Unit};

/// How many projects there are, and how many members each has.
const MANY: u64 = 1000;
const REQUESTS: usize = 200;
const ROBOTS: u64 = 200;
const PROJECT: &str = "bench-robots";

/// The line.
pub(super) struct TokenService;

impl Line for TokenService {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        Ok(vec![members(lab)?, robots(lab)?])
    }
}

/// The password is hashed once, with the first request, which is not counted; each request names a project that nobody asked for
/// a moment ago.
fn members(lab: &Lab) -> anyhow::Result<Row> {
    let many = grouped(MANY);
    let title = format!(
        "token of a member, {many} projects with {many} members each, 99 of 100 answers within (without the password's hash)"
    );
    let mut row = Row::new(title, Unit::Milliseconds, &[Goal::AtMost(10.0)]);
    let started = fill::busy_berth(lab, MANY)?;
    let running = &started.running;
    for round in 0..lab.scale.rounds {
        let login = rest::basic(&fill::user(round), rest::PASSWORD);
        let mut connection = running.endpoint().connect()?;
        let mut dice = Dice::new(round);
        let mut times = Vec::new();
        for request in 0..=REQUESTS {
            let repository = format!("{}/image", fill::project(dice.roll() % MANY));
            let begun = Instant::now();
            let (head, _) = connection.exchange("GET", &rest::token_target(&repository), &login, &[])?;
            head.expect(200, "GET of a token")?;
            if request > 0 {
                times.push(begun.elapsed().as_secs_f64() * 1000.0);
            }
        }
        row.add(running.name(), Figure::plain(percentile(&mut times, 99.0)));
    }
    Ok(row)
}

/// Every round begins with robots that were never seen before.
fn robots(lab: &Lab) -> anyhow::Result<Row> {
    let title = format!("tokens of {ROBOTS} robots that log in at once");
    let mut row = Row::new(title, Unit::PerSecond, &[Goal::AtLeast(2000.0)]);
    let started = lab.start(&lab.berth, Transport::Plain)?;
    let running = &started.running;
    rest::make_project(running, PROJECT)?;
    for round in 0..lab.scale.rounds {
        let robot = |number| rest::make_robot(running, PROJECT, &format!("r{round}-{number}"));
        let logins: Vec<String> = (0..ROBOTS).map(robot).collect::<anyhow::Result<_>>()?;
        let target = rest::token_target(&format!("{PROJECT}/image"));
        let meter = Meter::start(running.pid());
        let seen = storm_of(running.endpoint(), &target, &logins, Duration::from_secs(2))?;
        row.add(running.name(), Figure::requests(seen.answers, meter.read()));
    }
    Ok(row)
}
