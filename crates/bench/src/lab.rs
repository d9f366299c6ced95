//! What every line needs: contestants, rooms to start them in, sizes, and a place for remarks.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::content::Content;
use crate::contestant::berth::Berth;
use crate::contestant::{Contestant, Running, Stage};
use crate::machine::leftovers::Leftovers;
use crate::progress::say;
use crate::scale::Scale;

/// The repository that everything is pushed to.
pub(crate) const REPOSITORY: &str = "library/bench";

/// How clients and servers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// HTTP as it is.
    Plain,
    /// HTTP over TLS.
    Tls,
}

/// The place where lines are measured.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) scale: Scale,
    pub(crate) berth: Berth,
    peers: Vec<Box<dyn Contestant>>,
    certificate: Certificate,
    leftovers: Arc<Leftovers>,
    directory: PathBuf,
    rooms: Cell<u64>,
    remarks: RefCell<Vec<String>>,
}

impl Lab {
    /// A lab over an empty `directory`.
    pub(crate) fn new(
        scale: Scale,
        berth: Berth,
        peers: Vec<Box<dyn Contestant>>,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            scale,
            berth,
            peers,
            certificate: Certificate::make(directory)?,
            leftovers: Leftovers::watch(directory.to_owned())?,
            directory: directory.to_owned(),
            rooms: Cell::default(),
            remarks: RefCell::default(),
        })
    }

    /// Berth first, then its peers.
    pub(crate) fn contestants(&self) -> impl Iterator<Item = &dyn Contestant> {
        let berth: &dyn Contestant = &self.berth;
        std::iter::once(berth).chain(self.peers.iter().map(AsRef::as_ref))
    }

    /// Those that take pushes.
    pub(crate) fn registries(&self) -> Vec<&dyn Contestant> {
        self.contestants().filter(|contestant| contestant.is_registry()).collect()
    }

    /// A new empty directory on the measured disk.
    pub(crate) fn room(&self) -> anyhow::Result<Room> {
        self.rooms.set(self.rooms.get() + 1);
        let room = Room(self.directory.join(format!("room-{}", self.rooms.get())));
        fs::create_dir_all(room.path())?;
        Ok(room)
    }

    /// Starts a contestant over what lies in `room`.
    pub(crate) fn start_in(
        &self,
        contestant: &dyn Contestant,
        room: &Room,
        transport: Transport,
    ) -> anyhow::Result<Running> {
        let tls = (transport == Transport::Tls).then_some(&self.certificate);
        contestant.start(room.path(), &Stage { tls, leftovers: &self.leftovers })
    }

    /// Starts a contestant with no data.
    pub(crate) fn start(&self, contestant: &dyn Contestant, transport: Transport) -> anyhow::Result<Started> {
        self.start_over(contestant, self.room()?, transport)
    }

    /// Starts a contestant over what lies in `room`, which goes with it.
    pub(crate) fn start_over(
        &self,
        contestant: &dyn Contestant,
        room: Room,
        transport: Transport,
    ) -> anyhow::Result<Started> {
        Ok(Started { running: self.start_in(contestant, &room, transport)?, _room: room })
    }

    /// Starts everybody that can serve a blob and gives it to them; who fails is left out with a remark.
    pub(crate) fn with_blob(&self, content: &Content, transport: Transport) -> Vec<Serving> {
        let able =
            self.contestants().filter(|contestant| transport == Transport::Plain || contestant.is_ours());
        self.with(able, |contestant| {
            let started = self.start(contestant, transport)?;
            let target = started.running.take_blob(REPOSITORY, content)?;
            crate::client::pull::verify(started.running.endpoint(), &target, content)?;
            Ok(Serving { started, target })
        })
    }

    /// What `prepare` makes of each contestant; who fails is left out with a remark.
    pub(crate) fn with<'a, T>(
        &self,
        contestants: impl IntoIterator<Item = &'a dyn Contestant>,
        prepare: impl Fn(&'a dyn Contestant) -> anyhow::Result<T>,
    ) -> Vec<T> {
        let prepared = contestants.into_iter().filter_map(|contestant| {
            let attempt = prepare(contestant);
            attempt
                .map_err(|error| self.remark(format!("{} was left out: {error:#}", contestant.name())))
                .ok()
        });
        prepared.collect()
    }

    /// Keeps a remark to be printed below the table.
    pub(crate) fn remark(&self, text: String) {
        say(&text);
        if !self.remarks.borrow().contains(&text) {
            self.remarks.borrow_mut().push(text);
        }
    }

    /// All remarks so far.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.remarks.borrow().clone()
    }

    /// The directory on the measured disk.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Calls `measure` for each server in each round.
    pub(crate) fn rounds<T: Named>(&self, servers: &[T], mut measure: impl FnMut(&T) -> anyhow::Result<()>) {
        for round in 0..self.scale.rounds {
            self.round(round, servers, &mut measure);
        }
    }

    /// Calls `measure` for each server once. Every round begins with another server, so that drift hits all alike. What fails
    /// becomes a remark.
    pub(crate) fn round<T: Named>(
        &self,
        round: u64,
        servers: &[T],
        mut measure: impl FnMut(&T) -> anyhow::Result<()>,
    ) {
        let first = usize::try_from(round).unwrap_or_default() % servers.len().max(1);
        for server in servers[first..].iter().chain(&servers[..first]) {
            if let Err(error) = measure(server) {
                self.remark(format!("{} failed: {error:#}", server.name()));
            }
        }
    }
}

/// Something that a remark can name.
pub(crate) trait Named {
    /// The name of a column.
    fn name(&self) -> &str;
}

impl Named for &dyn Contestant {
    fn name(&self) -> &str {
        Contestant::name(*self)
    }
}

/// A server and the target of what it was given.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) started: Started,
    pub(crate) target: String,
}

impl Named for Serving {
    fn name(&self) -> &str {
        self.started.running.name()
    }
}

/// A contestant with a room of its own; dropping it ends the process, then removes the room.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) running: Running,
    _room: Room,
}

/// A directory that goes with its handle.
#[derive(Debug)]
pub(crate) struct Room(PathBuf);

impl Room {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What stays is removed with the whole directory at the end.
        let _ = fs::remove_dir_all(&self.0);
    }
}
