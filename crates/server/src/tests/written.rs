//! What is logged, for tests to read.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt;

/// Keeps what is logged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Keeps what this thread logs from now on, as long as the guard is there.
    pub(crate) fn here() -> (Self, DefaultGuard) {
        let written = Self::default();
        let writer = written.clone();
        let subscriber = fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (written, tracing::subscriber::set_default(subscriber))
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
