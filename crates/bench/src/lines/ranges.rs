//! Ranges of 1 MiB at random offsets of a large blob, by 64 clients, as lazy-pulling snapshotters and CDI read.

use std::time::Instant;

use super::Line;
use crate::client::pull::ranges;
use crate::content::Content;
use crate::lab::{Lab, Transport};
use crate::machine::meter::{MemoryWatch, Meter};
use crate::statistics::real;
use crate::table::{Figure, Goal, Row, Unit};

const CLIENTS: u64 = 64;

/// The line.
pub(super) struct Ranges;

impl Line for Ranges {
    fn name(&self) -> &'static str {
        "ranges"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let content = Content::new(1, lab.scale.pull);
        let servers = lab.with_blob(&content, Transport::Plain);
        let goals = [Goal::Times(3.5, "distribution"), Goal::Times(1.2, "zot")];
        let mut rate =
            Row::new(format!("1 MiB ranges at random, {CLIENTS} clients"), Unit::PerSecond, &goals);
        let mut memory = Row::new("– anonymous memory meanwhile", Unit::Mebibytes, &[Goal::AtMost(100.0)]);
        lab.rounds(&servers, |server| {
            let running = &server.started.running;
            let watch = running.pid().map(MemoryWatch::start);
            let meter = Meter::start(running.pid());
            let deadline = Instant::now() + lab.scale.storm;
            let count = ranges(running.endpoint(), &server.target, content.size(), CLIENTS, deadline)?;
            rate.add(running.name(), Figure::requests(count, meter.read()));
            if let Some(watch) = watch {
                memory.add(running.name(), Figure::plain(real(watch.peak()) / f64::from(1 << 20)));
            }
            Ok(())
        });
        Ok(vec![rate, memory])
    }
}
