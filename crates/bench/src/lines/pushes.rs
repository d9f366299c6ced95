//! Eight large pushes at once, as the layers of one image come.

use super::Line;
use crate::client::push::push;
use crate::client::together::together;
use crate::content::Content;
use crate::lab::{Lab, REPOSITORY, Transport};
use crate::machine::description::settle_disk;
use crate::machine::meter::Meter;
use crate::scale::mebibytes;
use crate::table::{Figure, Goal, Row, Unit};

const PUSHES: u64 = 8;

/// The line.
pub(super) struct Pushes;

impl Line for Pushes {
    fn name(&self) -> &'static str {
        "pushes"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let size = lab.scale.each_of_eight;
        let title = format!("{PUSHES} pushes of {} at once", mebibytes(size));
        let mut row = Row::new(title, Unit::GigabytesPerSecond, &[Goal::Times(1.5, "distribution")]);
        for round in 0..lab.scale.rounds {
            let contents = Content::several(round * PUSHES, PUSHES, size);
            lab.round(round, &lab.registries(), |contestant| {
                let started = lab.start(*contestant, Transport::Plain)?;
                let running = &started.running;
                settle_disk();
                let meter = Meter::start(running.pid());
                together(PUSHES, |number| {
                    push(running.endpoint(), REPOSITORY, &contents[usize::try_from(number)?])
                })?;
                let bytes = contents.iter().map(Content::size).sum();
                row.add(running.name(), Figure::bytes(bytes, meter.read()));
                Ok(())
            });
        }
        Ok(vec![row])
    }
}
