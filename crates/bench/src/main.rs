//! The benchmark: Berth and its peers under the same load on the same machine, as a table of ratios.
//!
//! It measures and reports; it never asserts. One line of the table is one file in `lines`; the ways to load a server are in
//! `client`, the servers in `contestant`, and what is read from the machine in `machine`.

mod bound;
mod certificate;
mod client;
mod content;
mod contestant;
mod fill;
mod http;
mod lab;
mod lines;
mod machine;
mod options;
mod progress;
mod scale;
mod statistics;
mod table;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use clap::Parser as _;

use contestant::Contestant;
use contestant::berth::Berth;
use contestant::distribution::Distribution;
use contestant::nginx::Nginx;
use lab::Lab;
use machine::description::{Machine, busy, free_bytes};
use options::Options;
use progress::say;
use table::report::{self, Report};

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut out = io::stdout().lock();
    if options.list {
        for line in lines::all() {
            writeln!(out, "{}", line.name())?;
        }
        return Ok(());
    }
    let directory = tempfile::Builder::new().prefix("bench-").tempdir_in(options.room()?)?;
    let report = run(&options, directory.path());
    directory.close()?;
    let text = report?.to_string();
    match options.out() {
        None => out.write_all(text.as_bytes())?,
        Some(file) => {
            let text = text + &by_hand(&file);
            fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
            say(&format!("The table is in {}.", file.display()));
        }
    }
    Ok(())
}

/// What a person added to an older table, from the mark on.
fn by_hand(file: &Path) -> String {
    let old = fs::read_to_string(file).unwrap_or_default();
    old.find(report::BY_HAND)
        .map_or_else(|| format!("\n{}\n", report::BY_HAND), |at| format!("\n{}", &old[at..]))
}

fn run(options: &Options, directory: &Path) -> anyhow::Result<Report> {
    let chosen = lines::chosen(&options.only)?;
    let scale = options.scale();
    let free = free_bytes(directory)? >> 30;
    anyhow::ensure!(free >= scale.disk, "{free} GiB are free, {} GiB are needed; see --room", scale.disk);
    let lab = Lab::new(scale, Berth::new(options.berth()?), peers(options), directory)?;
    if let Some(load) = busy() {
        lab.remark(format!("The machine was not idle at the start: its load was {load:.1}."));
    }
    let mut rows = Vec::new();
    for line in chosen {
        say(&format!("measuring {}", line.name()));
        match line.measure(&lab) {
            Ok(measured) => rows.extend(measured),
            Err(error) => lab.remark(format!("the line {} could not be measured: {error:#}", line.name())),
        }
    }
    let servers =
        lab.contestants().map(|contestant| (contestant.name().to_owned(), contestant.version())).collect();
    Ok(Report {
        machine: Machine::look(directory),
        servers,
        rows,
        remarks: lab.remarks(),
        rounds: scale.rounds,
    })
}

fn peers(options: &Options) -> Vec<Box<dyn Contestant>> {
    let mut peers: Vec<Box<dyn Contestant>> = vec![Box::new(Nginx)];
    match options.tools().as_deref().and_then(Distribution::find) {
        Some(distribution) => peers.push(Box::new(distribution)),
        None => say("distribution is not among the tools; `cargo xtask` installs it"),
    }
    peers.extend(options.peer.iter().cloned().map(|remote| Box::new(remote) as Box<dyn Contestant>));
    peers
}
