//! The size of the binary that a user downloads.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use super::Line;
use crate::contestant::berth;
use crate::lab::Lab;
use crate::statistics::real;
use crate::table::{Figure, Goal, Row, Unit};

/// The line.
pub(super) struct Binary;

impl Line for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let room = lab.room()?;
        let stripped = room.path().join("berth");
        let strip = Command::new("strip").arg("-o").arg(&stripped).arg(lab.berth.program()).status();
        anyhow::ensure!(strip.context("running strip")?.success(), "the binary could not be stripped");
        let mut row = Row::new("binary, stripped", Unit::Megabytes, &[Goal::AtMost(40.0)]);
        row.add(berth::NAME, Figure::plain(real(fs::metadata(&stripped)?.len()) / 1e6));
        Ok(vec![row])
    }
}
