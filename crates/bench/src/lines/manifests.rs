//! A manifest by its tag, asked for by 64 clients: what every pull begins with.

use std::time::Duration;

use super::Line;
use crate::client::image::Image;
use crate::client::storm::storm;
use crate::contestant::{Contestant, berth};
use crate::fill;
use crate::lab::{Lab, REPOSITORY, Serving, Transport};
use crate::machine::meter::Meter;
use crate::scale::grouped;
use crate::table::{Figure, Goal, Row, Unit};

const CLIENTS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);

/// The line: in an almost empty repository, or with a million tags in Berth's.
pub(super) struct Manifests {
    pub(super) crowded: bool,
}

impl Manifests {
    fn prepare(&self, lab: &Lab, contestant: &dyn Contestant) -> anyhow::Result<Serving> {
        let started = if self.crowded && contestant.name() == berth::NAME {
            fill::crowded_berth(lab, lab.scale.million, 0)?
        } else {
            lab.start(contestant, Transport::Plain)?
        };
        let target = started.running.take_image(REPOSITORY, "latest", &Image::new(1))?;
        // Everybody is measured warm.
        storm(started.running.endpoint(), &target, "", CLIENTS, WARM_UP)?;
        Ok(Serving { started, target })
    }
}

impl Line for Manifests {
    fn name(&self) -> &'static str {
        if self.crowded { "manifests-crowded" } else { "manifests" }
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let servers = lab.with(lab.contestants(), |contestant| self.prepare(lab, contestant));
        let tags = if self.crowded { lab.scale.million } else { 1 };
        let title =
            format!("manifest GET by tag, {CLIENTS} clients, tags in Berth's repository: {}", grouped(tags));
        let goals = [Goal::Times(8.0, "distribution"), Goal::Times(0.5, "nginx")];
        let mut rate = Row::new(title, Unit::PerSecond, &goals);
        let mut p99 = Row::new("– 99 of 100 answers within", Unit::Milliseconds, &[Goal::AtMost(2.0)]);
        lab.rounds(&servers, |server| {
            let running = &server.started.running;
            let meter = Meter::start(running.pid());
            let seen = storm(running.endpoint(), &server.target, "", CLIENTS, lab.scale.storm)?;
            rate.add(running.name(), Figure::requests(seen.answers, meter.read()));
            p99.add(running.name(), Figure::plain(seen.p99));
            Ok(())
        });
        Ok(vec![rate, p99])
    }
}
