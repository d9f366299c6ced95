//! One large push as docker does it, against what one hash and one disk allow.

use super::Line;
use crate::bound;
use crate::client::push::push;
use crate::content::Content;
use crate::lab::{Lab, REPOSITORY, Transport};
use crate::machine::description::settle_disk;
use crate::machine::meter::Meter;
use crate::scale::mebibytes;
use crate::table::{Figure, Goal, Row, Unit};

/// The line.
pub(super) struct Push;

impl Line for Push {
    fn name(&self) -> &'static str {
        "push"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let size = lab.scale.push;
        let title = format!("push {} (POST, one chunked PATCH, PUT)", mebibytes(size));
        let goals = [Goal::Times(2.0, "distribution"), Goal::Bound(0.9)];
        let mut rate = Row::new(title, Unit::GigabytesPerSecond, &goals);
        let mut closing = Row::new("– from its last byte to 201", Unit::Milliseconds, &[Goal::AtMost(50.0)]);
        let (mut hash, mut disk) = (Vec::new(), Vec::new());
        for round in 0..lab.scale.rounds {
            let content = Content::new(round, size);
            settle_disk();
            hash.push(bound::hash(size));
            disk.push(bound::disk(lab.directory(), size)?);
            rate.add_bound(hash[hash.len() - 1].min(disk[disk.len() - 1]));
            lab.round(round, &lab.registries(), |contestant| {
                let started = lab.start(*contestant, Transport::Plain)?;
                let running = &started.running;
                settle_disk();
                let meter = Meter::start(running.pid());
                let took = push(running.endpoint(), REPOSITORY, &content)?;
                rate.add(running.name(), Figure::bytes(content.size(), meter.read()));
                closing.add(running.name(), Figure::plain(took.as_secs_f64() * 1000.0));
                Ok(())
            });
        }
        lab.remark(bound::words(&hash, &disk));
        Ok(vec![rate, closing])
    }
}
