//! Reading by mapped windows, for bytes that go straight to the kernel again.

use std::ops::Range;
use std::sync::Arc;

use berth_blobs::{Error, Result, StoredFile};
use berth_mapped_file::Window;
use bytes::Bytes;
use futures::{Stream, stream};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::doubt::Found;

/// How much is mapped at once. Windows begin and end at multiples of it, so that none but the first and the last of a range
/// cuts through a unit that the processor maps whole.
const WINDOW: u64 = 8 << 20;
/// How much of a window is handed out at once. At each border the kernel is asked for what is left, mostly little, and then somebody
/// looks for the next one.
const SLICE: usize = 4 << 20;

/// The windows over a range, one at a time and at most one ahead.
#[derive(Debug)]
pub(crate) struct Windows {
    file: Arc<Found>,
    /// What is not mapped yet.
    rest: Range<u64>,
    current: Window,
    ahead: Option<JoinHandle<Result<Window>>>,
}

impl Windows {
    /// Maps the first window. Blocks until its pages are in memory.
    pub(crate) fn open(file: Found, range: Range<u64>) -> Result<Self> {
        let mut windows = Self { file: Arc::new(file), rest: range, current: Window::default(), ahead: None };
        if let Some(range) = windows.next_range() {
            windows.current = windows.file.window(&range)?;
        }
        Ok(windows)
    }

    /// What they are windows of.
    pub(crate) fn file(&self) -> StoredFile {
        StoredFile::new(Arc::clone(&self.file))
    }

    fn next_range(&mut self) -> Option<Range<u64>> {
        let Range { start, end } = self.rest;
        let border = if end - start > WINDOW { start - start % WINDOW + WINDOW } else { end };
        self.rest.start = border;
        (start < border).then_some(start..border)
    }

    /// Brings the next window in, where that may block.
    fn populate(&mut self) {
        if let Some(range) = self.next_range() {
            let file = Arc::clone(&self.file);
            self.ahead = Some(spawn_blocking(move || file.window(&range)));
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        // Only a reader that has taken half of a window will want the next one.
        if self.ahead.is_none() && self.current.len() as u64 <= WINDOW / 2 {
            self.populate();
        }
        if self.current.is_empty()
            && let Some(ahead) = self.ahead.take()
        {
            self.current = ahead.await.map_err(|stopped| Error::Io(stopped.into()))??;
        }
        Ok(self.current.take(SLICE))
    }
}

/// The bytes of the windows, one slice after the other.
pub(crate) fn stream(windows: Windows) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::try_unfold(windows, |mut windows| async move {
        Ok(windows.next().await?.map(|slice| (slice, windows)))
    })
}
