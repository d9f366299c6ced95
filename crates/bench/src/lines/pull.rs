//! Pulling one large blob, by one client and by eight.

use super::Line;
use crate::client::pull::whole;
use crate::content::Content;
use crate::lab::{Lab, Transport};
use crate::machine::meter::Meter;
use crate::scale::mebibytes;
use crate::table::{Figure, Goal, Row, Unit};

/// The line, plain or through TLS.
pub(super) struct Pull(pub(super) Transport);

impl Pull {
    fn row(&self, size: u64, clients: u64) -> Row {
        let size = mebibytes(size);
        let (title, goals): (_, &[Goal]) = match (self.0, clients) {
            (Transport::Plain, 1) => {
                (format!("pull {size}, 1 client"), &[Goal::Fastest(1.3), Goal::Thrift(0.7)])
            }
            (Transport::Plain, n) => {
                (format!("pull {size}, {n} clients"), &[Goal::Fastest(1.2), Goal::Thrift(0.75)])
            }
            (Transport::Tls, 1) => {
                (format!("pull {size} through TLS, 1 client"), &[Goal::Times(1.0, "nginx")])
            }
            (Transport::Tls, n) => {
                (format!("pull {size} through TLS, {n} clients"), &[Goal::Times(1.0, "nginx")])
            }
        };
        Row::new(title, Unit::GigabytesPerSecond, goals)
    }
}

impl Line for Pull {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Plain => "pull",
            Transport::Tls => "pull-tls",
        }
    }

    fn measure(&self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        let content = Content::new(1, lab.scale.pull);
        let servers = lab.with_blob(&content, self.0);
        let mut rows = Vec::new();
        for clients in [1, 8] {
            let mut row = self.row(lab.scale.pull, clients);
            lab.rounds(&servers, |server| {
                let running = &server.started.running;
                let meter = Meter::start(running.pid());
                let bytes = whole(running.endpoint(), &server.target, clients)?;
                row.add(running.name(), Figure::bytes(bytes, meter.read()));
                Ok(())
            });
            rows.push(row);
        }
        Ok(rows)
    }
}
