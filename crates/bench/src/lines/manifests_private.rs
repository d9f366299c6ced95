//! A manifest by its tag out of a private project with a bearer token, against the same without any.

use std::time::Duration;

use super::Line;
use crate::client::image::Image;
use crate::client::rest;
use crate::client::storm::storm;
use crate::lab::{Lab, REPOSITORY, Transport};
use crate::machine::meter::Meter;
use crate::table::{Figure, Goal, Row, Unit};

const CLIENTS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
const PROJECT: &str = "bench-private";

/// The line.
pub(super) struct ManifestsPrivate;

impl Line for ManifestsPrivate {
    fn name(&self) -> &'static str {
        "manifests-private"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let title = format!(
            "manifest GET by tag, {CLIENTS} clients, bearer token, private project; the bound is the same without, public"
        );
        let mut row = Row::new(title, Unit::PerSecond, &[Goal::Bound(0.9)]);
        let started = lab.start(&lab.berth, Transport::Plain)?;
        let (running, image) = (&started.running, Image::new(1));
        let open = running.take_image(REPOSITORY, "latest", &image)?;
        let repository = format!("{PROJECT}/image");
        rest::make_project(running, PROJECT)?;
        let closed = running.take_image(&repository, "latest", &image)?;
        let bearer = format!("Authorization: Bearer {}\r\n", rest::token(running, &repository)?);
        let refused = running.endpoint().connect()?.exchange("GET", &closed, "", &[])?.0;
        anyhow::ensure!(refused.status == 401, "the private project is open to strangers");
        let ways = [(open, ""), (closed, bearer.as_str())];
        for (target, headers) in &ways {
            storm(running.endpoint(), target, headers, CLIENTS, WARM_UP)?;
        }
        for _ in 0..lab.scale.rounds {
            for (target, headers) in &ways {
                let meter = Meter::start(running.pid());
                let seen = storm(running.endpoint(), target, headers, CLIENTS, lab.scale.storm)?;
                let figure = Figure::requests(seen.answers, meter.read());
                if headers.is_empty() {
                    row.add_bound(figure.value);
                } else {
                    row.add(running.name(), figure);
                }
            }
        }
        Ok(vec![row])
    }
}
