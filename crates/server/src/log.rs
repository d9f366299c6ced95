//! The log on standard error: filtered, in the configured form, written in batches so that no request waits for it.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
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
/// How much may wait to be written before whoever logs more waits too.
const WAITING: usize = 1 << 20;

/// Keeps the log going; what is still waiting is written when it is dropped.
#[derive(Debug)]
pub struct Logging {
    lines: Arc<Lines>,
    writer: Option<JoinHandle<()>>,
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
    let writer = std::thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_out()).ok();
    if writer.is_none() {
        lines.lock().ended = true;
    }
    Logging { lines, writer }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.lines.lock().ended = true;
        self.lines.changed.notify_all();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
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
    /// No thread writes any more: each line is written at once.
    ended: bool,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self) {
        let mut text = Vec::new();
        loop {
            let mut state = self.lock();
            while state.text.is_empty() && !state.ended {
                state = self.wait(state);
            }
            if !state.ended {
                drop(state);
                std::thread::sleep(GATHER);
                state = self.lock();
            }
            std::mem::swap(&mut text, &mut state.text);
            let ended = state.ended;
            drop(state);
            self.changed.notify_all();
            // Nobody can be told when standard error is closed.
            let _ = io::stderr().write_all(&text);
            text.clear();
            if ended {
                return;
            }
        }
    }
}

/// One line on its way to the others.
#[derive(Debug)]
struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        while state.text.len() >= WAITING && !state.ended {
            state = self.0.wait(state);
        }
        if state.ended {
            drop(state);
            return io::stderr().write_all(text).map(|()| text.len());
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
