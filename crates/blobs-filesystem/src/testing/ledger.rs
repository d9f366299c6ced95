//! What of a directory tree was synced, and so what a loss of power leaves of it.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is lost with the power. Nothing says that a disk keeps things in the order in which they were done, so a test should try
/// every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the process died, the machine lived.
    Nothing,
    /// Bytes of files that were not synced: there are zeros where they were.
    Bytes,
    /// Names in directories that were not synced: new, moved and removed ones.
    Names,
    /// Both.
    Everything,
}

impl Loss {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Bytes, Self::Names, Self::Everything];
}

/// Which file it is, whatever its name.
pub(super) type Id = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Directory,
    File(Id),
}

/// Everything that was touched, as it is and as it would be after a loss of power.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    next: Id,
    live: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    /// The bytes that each file had when it was last synced.
    synced: HashMap<Id, Vec<u8>>,
}

impl Ledger {
    pub(super) fn made_directory(&mut self, path: &Path) {
        self.live.insert(path.to_path_buf(), Node::Directory);
    }

    pub(super) fn synced_directory(&mut self, path: &Path) {
        let within = |entry: &Path| entry.parent() == Some(path);
        self.durable.retain(|entry, _| !within(entry));
        let entries = self.live.iter().filter(|(entry, _)| within(entry));
        self.durable.extend(entries.map(|(entry, node)| (entry.clone(), *node)));
    }

    pub(super) fn created(&mut self, path: &Path) -> Id {
        let id = self.next;
        self.next += 1;
        self.live.insert(path.to_path_buf(), Node::File(id));
        self.synced.insert(id, Vec::new());
        id
    }

    /// Which file lies at `path`. One that was there before the ledger is durable as it is.
    pub(super) fn meet(&mut self, path: &Path) -> io::Result<Id> {
        if let Some(Node::File(id)) = self.live.get(path) {
            return Ok(*id);
        }
        let bytes = fs::read(path)?;
        let id = self.created(path);
        self.durable.insert(path.to_path_buf(), Node::File(id));
        self.synced.insert(id, bytes);
        Ok(id)
    }

    pub(super) fn renamed(&mut self, id: Id, from: &Path, to: &Path) {
        self.live.remove(from);
        self.live.insert(to.to_path_buf(), Node::File(id));
    }

    pub(super) fn removed(&mut self, path: &Path) {
        self.live.remove(path);
    }

    pub(super) fn synced(&mut self, id: Id) -> io::Result<()> {
        if let Some(path) = self.path_of(id) {
            let bytes = fs::read(path)?;
            self.synced.insert(id, bytes);
        }
        Ok(())
    }

    fn path_of(&self, id: Id) -> Option<&PathBuf> {
        self.live.iter().find(|(_, node)| **node == Node::File(id)).map(|(path, _)| path)
    }

    /// Brings the real tree into the state after the loss. What is left counts as durable.
    pub(super) fn crash(&mut self, loss: Loss) -> io::Result<()> {
        let names = match loss {
            Loss::Nothing | Loss::Bytes => self.live.clone(),
            Loss::Names | Loss::Everything => self.reachable(),
        };
        let mut contents = HashMap::new();
        for node in names.values() {
            if let Node::File(id) = node {
                contents.insert(*id, self.left(*id, loss)?);
            }
        }
        for (path, node) in self.live.iter().rev() {
            match node {
                Node::File(_) => fs::remove_file(path)?,
                Node::Directory if !names.contains_key(path) => fs::remove_dir(path)?,
                Node::Directory => {}
            }
        }
        for (path, node) in &names {
            if let Node::File(id) = node {
                let (bytes, mode) = &contents[id];
                fs::write(path, bytes)?;
                fs::set_permissions(path, Permissions::from_mode(*mode))?;
                self.synced.insert(*id, bytes.clone());
            }
        }
        self.durable.clone_from(&names);
        self.live = names;
        Ok(())
    }

    /// The durable names that a durable way leads to.
    fn reachable(&self) -> BTreeMap<PathBuf, Node> {
        let there = |path: &Path| !self.live.contains_key(path) || self.durable.contains_key(path);
        let names = self.durable.iter().filter(|(path, _)| path.ancestors().skip(1).all(there));
        names.map(|(path, node)| (path.clone(), *node)).collect()
    }

    /// What is left of a file: its bytes and its mode.
    fn left(&self, id: Id, loss: Loss) -> io::Result<(Vec<u8>, u32)> {
        let synced = &self.synced[&id];
        let Some(path) = self.path_of(id) else { return Ok((synced.clone(), 0o440)) };
        let (mode, bytes) = (fs::metadata(path)?.permissions().mode(), fs::read(path)?);
        let bytes = match loss {
            Loss::Nothing | Loss::Names => bytes,
            Loss::Everything => synced.clone(),
            // The length is kept, as by a file system that writes it down before the bytes.
            Loss::Bytes => {
                let kept = synced.iter().copied().chain(std::iter::repeat(0));
                kept.take(bytes.len()).collect()
            }
        };
        Ok((bytes, mode))
    }
}
