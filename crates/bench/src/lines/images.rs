//! Sixty-four pushers of small images into one repository, as a busy CI has them.

use std::time::Instant;

use super::Line;
use crate::client::image::{Way, many};
use crate::lab::{Lab, REPOSITORY, Transport};
use crate::machine::description::settle_disk;
use crate::machine::meter::Meter;
use crate::table::{Figure, Goal, Row, Unit};

const PUSHERS: u64 = 64;

/// The line.
pub(super) struct Images;

impl Line for Images {
    fn name(&self) -> &'static str {
        "images"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let ways = [(Way::Put, "POST, PUT"), (Way::Patch, "POST, PATCH, PUT")];
        Ok(ways.into_iter().map(|(way, words)| measure_way(lab, way, words)).collect())
    }
}

fn measure_way(lab: &Lab, way: Way, words: &str) -> Row {
    let title =
        format!("small images (config, 20 KiB layer, manifest) by {PUSHERS} pushers, each blob by {words}");
    let goals = [Goal::Times(3.0, "distribution"), Goal::Aim(500.0)];
    let mut row = Row::new(title, Unit::PerSecond, &goals);
    for round in 0..lab.scale.rounds {
        lab.round(round, &lab.registries(), |contestant| {
            let started = lab.start(*contestant, Transport::Plain)?;
            let running = &started.running;
            settle_disk();
            let meter = Meter::start(running.pid());
            let deadline = Instant::now() + lab.scale.storm;
            let images = many(running.endpoint(), REPOSITORY, way, PUSHERS, deadline)?;
            row.add(running.name(), Figure::requests(images, meter.read()));
            Ok(())
        });
    }
    row
}
