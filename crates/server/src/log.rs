//! The log on standard error: filtered, in the configured form, written in batches so that no request waits for it. When nobody reads it,
//! lines are dropped, and their number is said as soon as somebody does.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_config::section::Log;
use berth_config::{LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// How long lines may gather before they are written.
const GATHER: Duration = Duration::from_millis(20);
/// How much may wait to be written before what is logged is dropped.
const WAITING: usize = 1 << 20;
/// How long the end waits for somebody to read what is still to be written.
const PARTING: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this thread says how much was dropped, for which there is always room.
    static CONFESSING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the log going; what is still waiting is written when it is dropped.
#[derive(Debug)]
pub struct Logging {
    lines: Arc<Lines>,
}

/// Starts the log of the process; a second call changes nothing.
#[must_use]
pub fn start(settings: &Log) -> Logging {
    let lines = Arc::new(Lines::default());
    let level = match settings.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // What libraries say below a warning helps only whoever looks for a fault.
    let foreign = if level > LevelFilter::INFO { level } else { level.min(LevelFilter::WARN) };
    let access = if settings.access { LevelFilter::INFO } else { LevelFilter::OFF };
    let filter =
        Targets::new().with_default(foreign).with_target("berth", level).with_target("access", access);
    let layer = fmt::layer().with_ansi(false).with_writer(Written(Arc::clone(&lines)));
    let layer = match settings.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    let writing = Arc::clone(&lines);
    let writer = std::thread::Builder::new().name("log".to_owned());
    if writer.spawn(move || writing.write_out(&mut io::stderr())).is_err() {
        lines.lock().ended = true;
    }
    Logging { lines }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let mut state = self.lines.lock();
        state.ending = true;
        self.lines.changed.notify_all();
        // Nothing is waited for that nobody reads.
        let _ = self.lines.changed.wait_timeout_while(state, PARTING, |state| !state.ended);
    }
}

/// Lines on their way out.
#[derive(Debug, Default)]
struct Lines {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// How many lines found no room, of which nothing was said yet.
    dropped: u64,
    /// What waits is to be written, and then no more.
    ending: bool,
    /// No thread writes any more: each line is written at once.
    ended: bool,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self, out: &mut impl Write) {
        let mut text = Vec::new();
        loop {
            let nothing = |state: &mut Waiting| state.text.is_empty() && !state.ending;
            let mut state =
                self.changed.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
            if !state.ending {
                drop(state);
                std::thread::sleep(GATHER);
                state = self.lock();
            }
            if state.text.is_empty() {
                // Only the end comes without a line.
                state.ended = true;
                drop(state);
                return self.changed.notify_all();
            }
            std::mem::swap(&mut text, &mut state.text);
            drop(state);
            // Nobody can be told when standard error is closed.
            let _ = out.write_all(&text);
            text.clear();
            self.confess();
        }
    }

    /// Says how many lines were dropped while nobody read.
    fn confess(&self) {
        let dropped = std::mem::take(&mut self.lock().dropped);
        if dropped > 0 {
            CONFESSING.set(true);
            tracing::error!(dropped, "lines of the log were dropped, because nobody read them");
            CONFESSING.set(false);
        }
    }
}

/// One line on its way to the others.
#[derive(Debug)]
struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.ended {
            drop(state);
            return io::stderr().write_all(text).map(|()| text.len());
        }
        if state.text.len() >= WAITING && !CONFESSING.get() {
            state.dropped += 1;
            return Ok(text.len());
        }
        let was_empty = state.text.is_empty();
        state.text.extend_from_slice(text);
        drop(state);
        if was_empty {
            self.0.changed.notify_all();
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the log's lines go.
#[derive(Debug)]
struct Written(Arc<Lines>);

impl<'a> MakeWriter<'a> for Written {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tracing::subscriber::with_default;

    use super::*;

    /// A reader that takes nothing until it is let go; what it took.
    struct Reader {
        reached: mpsc::Sender<()>,
        go: mpsc::Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Reader {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _ = self.reached.send(());
            // Once nobody holds it back any more, it takes everything.
            let _ = self.go.recv();
            self.taken.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stops_costs_lines_and_holds_nobody_up() {
        let (lines, taken) = (Arc::new(Lines::default()), Arc::<Mutex<Vec<u8>>>::default());
        let (reached, reaching) = mpsc::channel();
        let (hold, go) = mpsc::channel::<()>();
        let subscriber = || fmt().with_ansi(false).with_writer(Written(Arc::clone(&lines))).finish();
        let mut out = Reader { reached, go, taken: Arc::clone(&taken) };
        std::thread::scope(|threads| {
            threads.spawn(|| with_default(subscriber(), || lines.write_out(&mut out)));
            with_default(subscriber(), || {
                tracing::info!("first");
                reaching.recv().unwrap();
                // Many times what may wait; each comes back at once.
                let long = "x".repeat(10_000);
                for number in 0..1000 {
                    tracing::info!(number, long);
                }
            });
            drop(hold);
            lines.lock().ending = true;
            lines.changed.notify_all();
        });
        let text = String::from_utf8(std::mem::take(&mut *taken.lock().unwrap())).unwrap();
        let kept = text.lines().filter(|line| line.contains("number=")).count();
        assert!((100..200).contains(&kept), "{kept} lines fit into what may wait");
        assert!(text.lines().filter(|line| line.contains("long=")).all(|line| line.len() > 10_000));
        assert!(text.contains(&format!("dropped={}", 1000 - kept)), "{:?}", text.lines().last());
        assert!(lines.lock().ended);
    }
}
