//! At most one writer of an upload in this process: who opens it again shuts the one before out.
//!
//! The registry lets one request at a time write to an upload, and knows when that request is over. A write of it may still be at the
//! disk then: whoever comes next waits for it here.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::layout::Name;

/// The writers of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fences {
    writers: Arc<Mutex<HashMap<Name, Weak<Gate>>>>,
}

/// Whether a writer may still write. It is held locked while the writer is at the disk, so that closing it waits for that.
type Gate = Mutex<State>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

/// A writer's right to write to an upload, until somebody else takes it.
#[derive(Debug)]
pub(crate) struct Pass {
    fences: Fences,
    name: Name,
    gate: Arc<Gate>,
}

/// The writer is at the disk; nobody takes its right away meanwhile.
#[derive(Debug)]
pub(crate) struct AtDisk<'a> {
    _gate: MutexGuard<'a, State>,
}

impl Fences {
    /// The right to write to `name`. Blocks until the writer before is done with what it is at; it writes no more after that.
    pub(crate) fn pass(&self, name: Name) -> Arc<Pass> {
        let gate = Arc::new(Mutex::new(State::Open));
        let before = self.writers().insert(name, Arc::downgrade(&gate));
        close(before);
        Arc::new(Pass { fences: self.clone(), name, gate })
    }

    /// Takes the right to write to `name` from whoever has it.
    pub(crate) fn revoke(&self, name: Name) {
        let before = self.writers().remove(&name);
        close(before);
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<Name, Weak<Gate>>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn close(gate: Option<Weak<Gate>>) {
    if let Some(gate) = gate.and_then(|gate| gate.upgrade()) {
        *gate.lock().unwrap_or_else(PoisonError::into_inner) = State::Closed;
    }
}

impl Pass {
    /// Keeps others out until this is dropped. Fails if the right was taken away.
    pub(crate) fn enter(&self) -> io::Result<AtDisk<'_>> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if *gate == State::Closed {
            return Err(io::Error::other("another writer took this upload over"));
        }
        Ok(AtDisk { _gate: gate })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut writers = self.fences.writers();
        let ours = |gate: &Weak<Gate>| std::ptr::eq(gate.as_ptr(), Arc::as_ptr(&self.gate));
        if writers.get(&self.name).is_some_and(ours) {
            writers.remove(&self.name);
        }
    }
}
