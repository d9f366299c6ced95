//! Reads time, CPU seconds and memory of a server while it is under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::procfs;

/// Started before a load and read after it.
#[derive(Debug)]
pub(crate) struct Meter {
    pids: Option<Vec<u32>>,
    cpu: f64,
    begun: Instant,
}

/// What a load took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Wall-clock seconds.
    pub(crate) seconds: f64,
    /// CPU seconds of the server's processes, where they can be seen.
    pub(crate) cpu: Option<f64>,
}

impl Meter {
    /// Begins to measure the process tree of `root`; without one only time is read.
    pub(crate) fn start(root: Option<u32>) -> Self {
        let pids = root.map(procfs::tree);
        let cpu = pids.as_deref().map_or(0.0, procfs::cpu_seconds);
        Self { pids, cpu, begun: Instant::now() }
    }

    /// What passed since the start.
    pub(crate) fn read(&self) -> Reading {
        let seconds = self.begun.elapsed().as_secs_f64();
        Reading { seconds, cpu: self.pids.as_deref().map(|pids| procfs::cpu_seconds(pids) - self.cpu) }
    }
}

/// Samples the anonymous memory of a process tree on a thread of its own and keeps the peak.
#[derive(Debug)]
pub(crate) struct MemoryWatch {
    done: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    const PERIOD: Duration = Duration::from_millis(5);

    /// Begins to sample.
    pub(crate) fn start(root: u32) -> Self {
        let (done, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, highest) = (Arc::clone(&done), Arc::clone(&peak));
        let pids = procfs::tree(root);
        let thread = thread::spawn(move || {
            loop {
                highest.fetch_max(procfs::anonymous_bytes(&pids), Ordering::Relaxed);
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                thread::sleep(Self::PERIOD);
            }
        });
        Self { done, peak, thread: Some(thread) }
    }

    /// Ends the sampling; the highest sum seen, in bytes.
    pub(crate) fn peak(mut self) -> u64 {
        self.stop();
        self.peak.load(Ordering::Relaxed)
    }

    fn stop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; if it did, the peak so far stands.
            let _ = thread.join();
        }
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.stop();
    }
}
