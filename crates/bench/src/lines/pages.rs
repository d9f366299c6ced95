//! Lists at the size of a large installation, and how long Berth takes to start over it.

use std::time::Instant;

use super::Line;
use crate::content::Dice;
use crate::fill;
use crate::http::Connection;
use crate::lab::{Lab, REPOSITORY, Transport};
use crate::scale::grouped;
use crate::statistics::percentile;
use crate::table::{Figure, Goal, Row, Unit};

const REQUESTS: usize = 200;
const PAGE: u64 = 100;

/// The line.
pub(super) struct Pages;

impl Line for Pages {
    fn name(&self) -> &'static str {
        "pages"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let many = lab.scale.million;
        let count = grouped(many);
        let page = |what: &str, noun: &str| {
            let title = format!("{what} page of {PAGE} at {count} {noun}, 99 of 100 answers within");
            Row::new(title, Unit::Milliseconds, &[Goal::AtMost(5.0)])
        };
        let (mut tags, mut catalog) = (page("tags", "tags"), page("catalog", "repositories"));
        let mut start =
            Row::new("start with both, until it answers", Unit::Milliseconds, &[Goal::AtMost(200.0)]);
        let room = fill::crowded_room(lab, many, many)?;
        for round in 0..lab.scale.rounds {
            let begun = Instant::now();
            let running = lab.start_in(&lab.berth, &room, Transport::Plain)?;
            start.add(running.name(), Figure::plain(begun.elapsed().as_secs_f64() * 1000.0));
            let mut connection = running.endpoint().log_in()?;
            let mut dice = Dice::new(round);
            let mut ask = |list: &str, prefix: &str| slowest(&mut connection, &mut dice, list, prefix, many);
            let tag = ask(&format!("/v2/{REPOSITORY}/tags/list"), fill::TAG)?;
            tags.add(running.name(), Figure::plain(tag));
            catalog.add(running.name(), Figure::plain(ask("/v2/_catalog", fill::REPOSITORY)?));
        }
        Ok(vec![tags, catalog, start])
    }
}

/// Asks for pages that begin anywhere in the list; the milliseconds that 99 of 100 stay below.
fn slowest(
    connection: &mut Connection,
    dice: &mut Dice,
    list: &str,
    prefix: &str,
    many: u64,
) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let after = fill::name(prefix, dice.roll() % (many - PAGE));
        let begun = Instant::now();
        let (head, _) = connection.exchange("GET", &format!("{list}?n={PAGE}&last={after}"), "", &[])?;
        head.expect(200, list)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(percentile(&mut times, 99.0))
}
