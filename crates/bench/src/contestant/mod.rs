//! Who takes part: Berth, its peers, and what a running one can be given.
//!
//! A contestant is started on a directory of its own and ended again; its processes and its directory go with the handle.

pub(crate) mod berth;
pub(crate) mod distribution;
pub(crate) mod nginx;
pub(crate) mod remote;
pub(crate) mod running;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

pub(crate) use running::{Running, Store};

use crate::certificate::Certificate;
use crate::machine::leftovers::Leftovers;

/// A server that can be started for a line of the table.
pub(crate) trait Contestant: fmt::Debug {
    /// The name of its column.
    fn name(&self) -> &str;

    /// What a reader has to know of it: its version, where the bench can ask for it.
    fn version(&self) -> Option<String> {
        None
    }

    /// Whether it takes pushes; otherwise it only serves files that the bench lays before it.
    fn is_registry(&self) -> bool {
        true
    }

    /// Whether the bench starts it, so that it may be told to speak TLS and begins with empty data.
    fn is_ours(&self) -> bool {
        true
    }

    /// Starts it over the data in `room`, and returns when it answers.
    fn start(&self, room: &Path, stage: &Stage<'_>) -> anyhow::Result<Running>;
}

/// What every start needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    /// The certificate to serve with; plain HTTP without one.
    pub(crate) tls: Option<&'a Certificate>,
    /// Where started processes are written down.
    pub(crate) leftovers: &'a Arc<Leftovers>,
}

/// The last word of what a program says of its version.
fn version_of(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let said = String::from_utf8(said).ok()?;
    let word = said.lines().next()?.split_ascii_whitespace().last()?;
    // nginx puts its name before a slash.
    word.rsplit('/').next().map(str::to_owned)
}

/// A loopback address that nobody listens on now.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
