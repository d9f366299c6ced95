//! Anonymous memory: at rest, under 64 pulls, and under 64 pushes, of large layers and of layers ten times as large.

use std::thread;
use std::time::Duration;

use super::Line;
use crate::client::pull::whole;
use crate::client::push::push;
use crate::client::together::together;
use crate::content::Content;
use crate::contestant::Running;
use crate::lab::{Lab, REPOSITORY, Transport};
use crate::machine::description::free_bytes;
use crate::machine::meter::MemoryWatch;
use crate::scale::mebibytes;
use crate::statistics::real;
use crate::table::{Figure, Goal, Row, Unit};

const CLIENTS: u64 = 64;
const AT_REST: Duration = Duration::from_millis(500);
/// What other programs on this disk may go on using, in MiB.
const RESERVE: u64 = 10 * 1024;

/// The line.
pub(super) struct Memory;

impl Line for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let large = affordable(lab)?;
        let small = (large / 10).max(1);
        let row = |title: String, most| Row::new(title, Unit::Mebibytes, &[Goal::AtMost(most)]);
        let mut idle = row("anonymous memory at rest".to_owned(), 30.0);
        let mut pulls = row(format!("anonymous memory, {CLIENTS} pulls of {}", mebibytes(large)), 100.0);
        let title = |size| format!("anonymous memory, {CLIENTS} pushes of {}", mebibytes(size));
        let (mut few, mut many) = (row(title(small), 200.0), row(title(large), 200.0));
        for (size, pushes) in [(small, &mut few), (large, &mut many)] {
            let content = Content::new(1, size);
            lab.round(0, &lab.registries(), |contestant| {
                let started = lab.start(*contestant, Transport::Plain)?;
                let running = &started.running;
                record(&mut idle, running, || {
                    thread::sleep(AT_REST);
                    Ok(())
                })?;
                record(pushes, running, || push_many(running, &content))?;
                if size == large {
                    let target = format!("/v2/{REPOSITORY}-0/blobs/{}", content.digest());
                    record(&mut pulls, running, || whole(running.endpoint(), &target, CLIENTS).map(|_| ()))?;
                }
                Ok(())
            });
        }
        Ok(vec![idle, pulls, few, many])
    }
}

/// The size of each push in MiB: what was asked for, or less when the disk cannot hold 64 of them.
fn affordable(lab: &Lab) -> anyhow::Result<u64> {
    let free = free_bytes(lab.directory())? >> 20;
    let most = free.saturating_sub(RESERVE) / CLIENTS;
    let wanted = lab.scale.each_of_many;
    if most < wanted {
        lab.remark(format!(
            "Memory was measured with layers of {} instead of {}: the disk holds no more.",
            mebibytes(most),
            mebibytes(wanted)
        ));
    }
    anyhow::ensure!(most > 0, "the disk is too full");
    Ok(wanted.min(most))
}

/// The same bytes into 64 repositories: every one of them is received, hashed and written.
fn push_many(running: &Running, content: &Content) -> anyhow::Result<()> {
    together(CLIENTS, |client| push(running.endpoint(), &format!("{REPOSITORY}-{client}"), content))?;
    Ok(())
}

fn record(row: &mut Row, running: &Running, load: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let Some(pid) = running.pid() else { return Ok(()) };
    let watch = MemoryWatch::start(pid);
    load()?;
    row.add(running.name(), Figure::plain(real(watch.peak()) / f64::from(1 << 20)));
    Ok(())
}
