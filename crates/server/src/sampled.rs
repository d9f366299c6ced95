//! What metrics ask for when they are read: who keeps count of what. No value of a label is a name that somebody chose.

use std::sync::Arc;

use berth_access::tally::{Count, LogIns, TokenCounts};
use berth_blobs::BufferPool;

use crate::doors::Doors;
use crate::metrics::{Sample, Sampled, SampledKind, Values};
use crate::wiring::Parts;

impl Parts {
    /// All of it; `doors` are those to these parts.
    pub(crate) fn sampled(&self, doors: &Doors) -> Vec<Sampled> {
        [self.bodies(doors), self.accounts(), self.connections()].into_iter().flatten().collect()
    }

    fn bodies(&self, doors: &Doors) -> Vec<Sampled> {
        let pools = || {
            [&self.incoming, &self.outgoing, &self.manifests, &self.lists, &self.forms].map(BufferPool::clone)
        };
        let (in_use, budget) = (pools(), pools());
        let [entries, weight, hits, misses] = std::array::from_fn(|_| Arc::clone(&self.cache));
        let lookups: Vec<(&'static str, Sample)> =
            vec![("hit", Box::new(move || hits.hits())), ("miss", Box::new(move || misses.misses()))];
        let (registry, door) = (self.registry.clone(), doors.distribution.clone());
        vec![
            gauge("uploads", "Bodies of blobs that are coming in.", move || door.blobs_coming_in() as u64),
            gauge("upload_sessions", "Upload sessions that are being written to.", move || {
                registry.live_uploads() as u64
            }),
            gauge("buffers_in_use_bytes", "Memory that bodies take.", move || {
                in_use.iter().map(|pool| pool.in_use() as u64).sum()
            }),
            gauge("buffers_budget_bytes", "Memory that bodies may take.", move || {
                budget.iter().map(|pool| pool.budget() as u64).sum()
            }),
            gauge(
                "cache_entries",
                "Things that are remembered, so that no pull asks the database for them.",
                move || entries.entries(),
            ),
            gauge("cache_bytes", "Memory that remembered things take.", move || weight.weight()),
            Sampled {
                name: "cache_lookups",
                help: "Things that were asked for, by whether they were remembered.",
                kind: SampledKind::Counter,
                values: Values::Each("cache", lookups),
            },
        ]
    }

    fn accounts(&self) -> Vec<Sampled> {
        let log_ins = |pick: fn(&LogIns) -> &Count| -> Sample {
            let authenticator = Arc::clone(&self.gatekeeper.authenticator);
            Box::new(move || pick(authenticator.log_ins()).get())
        };
        let tokens = |pick: fn(&TokenCounts) -> &Count| -> Sample {
            let keyring = Arc::clone(&self.gatekeeper.tokens.keyring);
            Box::new(move || pick(keyring.tokens().counts()).get())
        };
        let outcomes = vec![
            ("ok", log_ins(|counts| &counts.ok)),
            ("refused", log_ins(|counts| &counts.refused)),
            ("delayed", log_ins(|counts| &counts.delayed)),
        ];
        let kinds = vec![
            ("user", tokens(|counts| &counts.to_users)),
            ("robot", tokens(|counts| &counts.to_robots)),
            ("anonymous", tokens(|counts| &counts.to_anonymous)),
        ];
        let lookups =
            vec![("hit", tokens(|counts| &counts.remembered)), ("miss", tokens(|counts| &counts.checked))];
        let counter = |name, help, label, samples| {
            let values = Values::Each(label, samples);
            Sampled { name, help, kind: SampledKind::Counter, values }
        };
        let passwords = self.gatekeeper.passwords.clone();
        let hashes: Sample = Box::new(move || passwords.hashes().get());
        let one = |name, help, sample| {
            let values = Values::One(sample);
            Sampled { name, help, kind: SampledKind::Counter, values }
        };
        vec![
            one("log_in_lookups", "Accounts that log-ins looked up.", log_ins(|counts| &counts.looked_up)),
            one("password_hashes", "Hashes of passwords, the slow part of log-ins.", hashes),
            counter("log_ins", "Log-ins, by what came of them.", "outcome", outcomes),
            counter("tokens_issued", "Tokens that were issued, by the kind of account.", "kind", kinds),
            counter(
                "token_checks",
                "Tokens that were shown, by whether they were remembered.",
                "cache",
                lookups,
            ),
        ]
    }

    fn connections(&self) -> Vec<Sampled> {
        let [in_use, idle, waiting] = std::array::from_fn(|_| self.database.clone());
        let states: Vec<(&'static str, Sample)> = vec![
            (
                "in_use",
                Box::new(move || {
                    let load = in_use.load();
                    load.open.saturating_sub(load.idle) as u64
                }),
            ),
            ("idle", Box::new(move || idle.load().idle as u64)),
        ];
        vec![
            Sampled {
                name: "database_connections",
                help: "Open connections to the database.",
                kind: SampledKind::Gauge,
                values: Values::Each("state", states),
            },
            gauge(
                "database_waiting",
                "Statements and transactions that wait for a connection to the database.",
                move || waiting.load().waiting as u64,
            ),
        ]
    }
}

fn gauge(
    name: &'static str,
    help: &'static str,
    sample: impl Fn() -> u64 + Send + Sync + 'static,
) -> Sampled {
    Sampled { name, help, kind: SampledKind::Gauge, values: Values::One(Box::new(sample)) }
}
