//! What lies between a server and its PostgreSQL, and can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::Postgres;

/// A relay from a port of this machine to PostgreSQL's socket. It ends with the test.
#[derive(Debug)]
pub struct Cable {
    port: u16,
    end: Arc<End>,
}

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// They pass.
    Whole,
    /// Every connection is closed, and so is every new one.
    Cut,
    /// They stay where they are, and nobody is told: a network that swallows them.
    Silent,
}

#[derive(Debug)]
struct End {
    socket: std::path::PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    open: Mutex<Vec<Strand>>,
}

/// One connection.
#[derive(Debug)]
struct Strand {
    near: TcpStream,
    far: UnixStream,
    /// Nothing that is sent through it arrives any more.
    lost: Arc<AtomicBool>,
}

impl Cable {
    /// A whole one.
    #[track_caller]
    pub fn to(server: &Postgres) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let end = Arc::new(End {
            socket: server.socket(),
            state: Mutex::new(State::Whole),
            changed: Condvar::new(),
            open: Mutex::default(),
        });
        let taking = Arc::clone(&end);
        thread::spawn(move || listener.incoming().flatten().for_each(|near| taking.take(near)));
        Self { port, end }
    }

    /// The URL of a database at the other end.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Closes every connection, and every new one.
    pub fn cut(&self) {
        self.end.set(State::Cut);
        for strand in lock(&self.end.open).drain(..) {
            // One that has ended already is as good.
            let _ = strand.near.shutdown(Shutdown::Both);
            let _ = strand.far.shutdown(Shutdown::Both);
        }
    }

    /// Swallows everything, and tells nobody.
    pub fn silence(&self) {
        self.end.set(State::Silent);
    }

    /// Swallows for ever whatever is sent through the connections that there are, and lets new ones through: the machine at the
    /// other end died without a word, and another one has its address.
    pub fn lose(&self) {
        for strand in &*lock(&self.end.open) {
            strand.lost.store(true, Ordering::SeqCst);
        }
    }

    /// Makes it whole again.
    pub fn mend(&self) {
        self.end.set(State::Whole);
    }
}

impl End {
    fn set(&self, state: State) {
        *lock(&self.state) = state;
        self.changed.notify_all();
    }

    fn take(self: &Arc<Self>, near: TcpStream) {
        // Held from the question to the entry in the list, so that a cut misses nobody.
        let mut open = lock(&self.open);
        if *lock(&self.state) == State::Cut {
            return;
        }
        let Ok(far) = UnixStream::connect(&self.socket) else { return };
        let clones = || Some((near.try_clone().ok()?, far.try_clone().ok()?));
        let (Some(there), Some(back), Some(kept)) = (clones(), clones(), clones()) else { return };
        let lost: Arc<AtomicBool> = Arc::default();
        open.push(Strand { near: kept.0, far: kept.1, lost: Arc::clone(&lost) });
        let (one, other, also_lost) = (Arc::clone(self), Arc::clone(self), Arc::clone(&lost));
        thread::spawn(move || {
            one.relay(&there.0, &there.1, &lost);
            let _ = there.1.shutdown(Shutdown::Both);
        });
        thread::spawn(move || {
            other.relay(&back.1, &back.0, &also_lost);
            let _ = back.0.shutdown(Shutdown::Both);
        });
    }

    /// Brings bytes from one side to the other until either ends, if they are not lost.
    fn relay(&self, mut from: impl Read, mut to: impl Write, lost: &AtomicBool) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let state = lock(&self.state);
            let heard = self.changed.wait_while(state, |state| *state == State::Silent);
            drop(heard.unwrap_or_else(PoisonError::into_inner));
            if !lost.load(Ordering::SeqCst) && to.write_all(&buffer[..read]).is_err() {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
