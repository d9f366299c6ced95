//! Windows of stored files on their way to the kernel, and the way back for the news that it could not read one.
//!
//! Whoever reads a file is told when the disk fails. Whoever hands a window of it on is not: a page that is lost afterwards is found
//! out by the kernel while it sends (`EFAULT`), on the socket's side, and maybe when the stream that the window came from has ended.
//! So each connection knows the windows that it has not sent yet, which file they show, and who lent them.

use std::fmt;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_oci::ByteRange;
use bytes::Bytes;

/// Who lends windows of one blob.
pub trait Lender: Send + Sync + fmt::Debug {
    /// The kernel could not read the whole of this part of the blob. Said once for all windows that were on their way, by whoever was
    /// sending: what takes long is done elsewhere.
    fn unreadable(self: Arc<Self>, part: ByteRange);
}

/// A published file of the machine that holds one blob and nothing else, open for reading. Cheap to clone.
#[derive(Clone)]
pub struct StoredFile(Arc<dyn AsFd + Send + Sync>);

impl StoredFile {
    /// One that is open as long as somebody holds it.
    pub fn new(file: impl AsFd + Send + Sync + 'static) -> Self {
        Self(Arc::new(file))
    }
}

impl AsFd for StoredFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoredFile").field(&self.as_fd()).finish()
    }
}

/// Bytes on loan as the kernel knows them: where they lie in which file.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The file.
    pub file: StoredFile,
    /// Which of its bytes.
    pub part: ByteRange,
}

/// The windows that one connection has not sent yet. Cheap to clone: all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Lent(Arc<Mutex<Vec<Loan>>>);

#[derive(Debug)]
struct Loan {
    /// Where the window begins in memory: no two of them begin at the same place.
    address: usize,
    stretch: Stretch,
    lender: Arc<dyn Lender>,
}

impl Loan {
    /// Where a slice of the window lies, if it is one: it begins in it.
    fn stretch_of(&self, slice: &[u8]) -> Option<Stretch> {
        let Stretch { file, part } = &self.stretch;
        let skipped = slice.as_ptr().addr().checked_sub(self.address)? as u64;
        let start = part.start + skipped;
        (start < part.end).then(|| Stretch {
            file: file.clone(),
            part: ByteRange { start, end: part.end.min(start + slice.len() as u64) },
        })
    }
}

/// A window on its way; it has left, or never will, when it is dropped.
struct Window {
    bytes: Bytes,
    lent: Lent,
}

impl Lent {
    /// The same bytes, on loan until they are dropped; `stretch` of the lender's blob is what they show.
    #[must_use]
    pub fn lend(&self, window: Bytes, stretch: Stretch, lender: Arc<dyn Lender>) -> Bytes {
        self.loans().push(Loan { address: window.as_ptr().addr(), stretch, lender });
        Bytes::from_owner(Window { bytes: window, lent: self.clone() })
    }

    /// Where bytes lie that are a window on loan, or the rest of one.
    #[must_use]
    pub fn stretch_of(&self, slice: &[u8]) -> Option<Stretch> {
        self.loans().iter().find_map(|loan| loan.stretch_of(slice))
    }

    /// Whether these bytes, from their first one, are a window on loan.
    #[must_use]
    pub fn holds(&self, bytes: &Bytes) -> bool {
        self.stretch_of(bytes).is_some()
    }

    /// The kernel could not read what it was handed: tells each lender which part of its blob was on loan, and forgets it.
    pub fn unreadable(&self) {
        let loans = mem::take(&mut *self.loans());
        let mut lenders: Vec<(Arc<dyn Lender>, ByteRange)> = Vec::new();
        for Loan { stretch: Stretch { part, .. }, lender, .. } in loans {
            match lenders.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &lender)) {
                Some((_, all)) => {
                    *all = ByteRange { start: all.start.min(part.start), end: all.end.max(part.end) };
                }
                None => lenders.push((lender, part)),
            }
        }
        for (lender, part) in lenders {
            lender.unreadable(part);
        }
    }

    fn loans(&self) -> MutexGuard<'_, Vec<Loan>> {
        // The list is right after every single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Window {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let address = self.bytes.as_ptr().addr();
        let mut loans = self.lent.loans();
        let ended = loans.iter().position(|loan| loan.address == address).map(|at| loans.swap_remove(at));
        drop(loans);
        // The lender may go with its last window, and that holds nobody up.
        drop(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<ByteRange>>);

    impl Lender for Told {
        fn unreadable(self: Arc<Self>, part: ByteRange) {
            self.0.lock().unwrap().push(part);
        }
    }

    const fn part(start: u64, end: u64) -> ByteRange {
        ByteRange { start, end }
    }

    fn stretch(start: u64, end: u64) -> Stretch {
        Stretch { file: StoredFile::new(tempfile::tempfile().unwrap()), part: part(start, end) }
    }

    #[test]
    fn lenders_are_told_once_of_what_has_not_left() {
        let (windows, file) = (Lent::default(), Bytes::from_static(b"berthpier"));
        let [one, other] = [Arc::new(Told::default()), Arc::new(Told::default())];
        let lend = |window, (start, end), to: &Arc<Told>| {
            windows.lend(window, stretch(start, end), Arc::<Told>::clone(to))
        };
        let first = lend(file.slice(0..2), (10, 12), &one);
        let sending = lend(file.slice(2..3), (12, 13), &one);
        let behind = lend(file.slice(3..5), (13, 15), &one);
        let elsewhere = lend(file.slice(5..), (0, 4), &other);
        assert_eq!((&first[..], &elsewhere[..]), (&b"be"[..], &b"pier"[..]));
        let rest = first.slice(1..);
        drop(first);
        assert!(windows.holds(&file.slice(0..2)), "a slice of it is still to be sent");
        drop(rest);
        assert!(!windows.holds(&file.slice(0..2)));
        assert!(windows.holds(&sending) && windows.holds(&behind) && windows.holds(&elsewhere));
        assert!(!windows.holds(&Bytes::from_static(b"a manifest")));
        windows.unreadable();
        windows.unreadable();
        assert_eq!(*one.0.lock().unwrap(), [part(12, 15)]);
        assert_eq!(*other.0.lock().unwrap(), [part(0, 4)]);
        drop((sending, behind, elsewhere));
        assert_eq!(Arc::strong_count(&one), 1, "nothing is kept");
    }

    #[test]
    fn whoever_has_sent_everything_tells_nobody() {
        let (lent, lender) = (Lent::default(), Arc::new(Told::default()));
        drop(lent.lend(Bytes::from_static(b"berth"), stretch(0, 5), Arc::<Told>::clone(&lender)));
        lent.unreadable();
        assert!(lender.0.lock().unwrap().is_empty());
    }

    #[test]
    fn what_is_left_of_a_window_is_found_in_its_file() {
        let (lent, lender, file) =
            (Lent::default(), Arc::new(Told::default()), Bytes::from_static(b"berthpier"));
        let window = lent.lend(file.slice(2..7), stretch(102, 107), lender);
        let parts = |slice: &[u8]| lent.stretch_of(slice).map(|stretch| stretch.part);
        assert_eq!(parts(&window), Some(part(102, 107)));
        assert_eq!(parts(&window[3..4]), Some(part(105, 106)));
        assert_eq!(parts(&window[3..]), Some(part(105, 107)));
        assert_eq!(parts(&file), None, "what begins before it");
        assert_eq!(parts(&file[7..]), None, "what begins behind it");
        drop(window);
        assert_eq!(parts(&file[2..7]), None);
    }
}
