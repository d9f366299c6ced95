//! One row: what each server did in each round, and what was hoped for.

use super::{Goal, Unit};
use crate::contestant::berth;
use crate::machine::meter::Reading;
use crate::statistics::{median, real};

/// What one server did in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// In the unit of the row.
    pub(crate) value: f64,
    /// CPU seconds of the server per GB or per 1,000 requests, where they can be seen.
    pub(crate) cpu: Option<f64>,
}

impl Figure {
    /// GB a second, and CPU seconds per GB.
    pub(crate) fn bytes(bytes: u64, reading: Reading) -> Self {
        let gigabytes = real(bytes) / 1e9;
        Self { value: gigabytes / reading.seconds, cpu: reading.cpu.map(|cpu| cpu / gigabytes) }
    }

    /// Requests a second, and CPU seconds per 1,000 requests.
    pub(crate) fn requests(count: u64, reading: Reading) -> Self {
        let thousands = real(count.max(1)) / 1000.0;
        Self { value: real(count) / reading.seconds, cpu: reading.cpu.map(|cpu| cpu / thousands) }
    }

    /// A value without CPU seconds.
    pub(crate) fn plain(value: f64) -> Self {
        Self { value, cpu: None }
    }
}

/// The figures of one server.
#[derive(Debug, Default)]
struct Column {
    server: String,
    values: Vec<f64>,
    cpu: Vec<f64>,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) goals: Vec<Goal>,
    columns: Vec<Column>,
    bound: Vec<f64>,
}

impl Row {
    /// An empty row.
    pub(crate) fn new(title: impl Into<String>, unit: Unit, goals: &[Goal]) -> Self {
        Self { title: title.into(), unit, goals: goals.to_vec(), columns: Vec::new(), bound: Vec::new() }
    }

    /// Adds what `server` did in one round.
    pub(crate) fn add(&mut self, server: &str, figure: Figure) {
        let at = self.columns.iter().position(|column| column.server == server).unwrap_or_else(|| {
            self.columns.push(Column { server: server.to_owned(), ..Column::default() });
            self.columns.len() - 1
        });
        self.columns[at].values.push(figure.value);
        self.columns[at].cpu.extend(figure.cpu);
    }

    /// Adds what the machine itself allowed in one round.
    pub(crate) fn add_bound(&mut self, value: f64) {
        self.bound.push(value);
    }

    /// The median of `server`.
    pub(crate) fn value(&self, server: &str) -> Option<f64> {
        self.column(server).and_then(|column| median(&column.values))
    }

    /// The median CPU seconds of `server`.
    pub(crate) fn cpu(&self, server: &str) -> Option<f64> {
        self.column(server).and_then(|column| median(&column.cpu))
    }

    /// The median of what the machine allows.
    pub(crate) fn bound(&self) -> Option<f64> {
        median(&self.bound)
    }

    /// The peer with the highest value.
    pub(crate) fn fastest_peer(&self) -> Option<(&str, f64)> {
        self.peers().filter_map(|peer| Some((peer, self.value(peer)?))).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The peer with the fewest CPU seconds.
    pub(crate) fn thriftiest_peer(&self) -> Option<(&str, f64)> {
        self.peers().filter_map(|peer| Some((peer, self.cpu(peer)?))).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn peers(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.server.as_str()).filter(|name| *name != berth::NAME)
    }

    fn column(&self, server: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.server == server)
    }
}
