//! Large manifests on their way out, under a budget.
//!
//! **Invariants.** The bytes of a large manifest count from before they are read from the database until the last client has them,
//! once however many clients that are: also those that the cache has, because it may forget them while a slow client does not take
//! them. Who waits for room holds no bytes meanwhile, and is told to come again before other programs give it up.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use berth_blobs::{BufferPool, Reservation};
use bytes::Bytes;
use tokio::time::timeout;

use crate::PulledManifest;
use crate::apart::SMALL;

/// There was no room for too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowded;

/// The large manifests that are lent to clients.
pub(crate) struct LargeManifests {
    budget: BufferPool,
    patience: Duration,
    lent: Arc<Mutex<Loans>>,
}

/// By the address of the first byte.
type Loans = HashMap<usize, Weak<Loan>>;

/// Room in the budget for the bytes at one address.
struct Loan {
    address: usize,
    lent: Arc<Mutex<Loans>>,
    _room: Reservation,
}

/// Bytes that go to a client. The loan ends first, so that no other bytes can have the address while it lasts.
struct Sent {
    _loan: Arc<Loan>,
    content: Bytes,
}

impl LargeManifests {
    /// Nothing is lent yet. Nobody waits for longer than `patience`.
    pub(crate) fn new(budget: BufferPool, patience: Duration) -> Self {
        Self { budget, patience, lent: Arc::default() }
    }

    /// Waits until there is room for a manifest of so many bytes. Whoever waits holds no such bytes and no such room.
    pub(crate) async fn room(&self, size: usize) -> Result<Reservation, Crowded> {
        timeout(self.patience, self.budget.reserve(size)).await.map_err(|_| Crowded)
    }

    /// The manifest as it may be sent, in `room` if it has to be and is large enough; `None` if the budget has no room now.
    pub(crate) fn lend(
        &self,
        manifest: &PulledManifest,
        room: Option<Reservation>,
    ) -> Option<PulledManifest> {
        let PulledManifest { digest, media_type, content } = manifest;
        if content.len() <= SMALL {
            return Some(manifest.clone());
        }
        let sent = Sent { _loan: self.loan(content, room)?, content: content.clone() };
        // Elsewhere, so that it does not keep all bytes.
        let media_type = Bytes::copy_from_slice(media_type);
        Some(PulledManifest { digest: *digest, media_type, content: Bytes::from_owner(sent) })
    }

    /// The loan of these bytes, or a new one.
    fn loan(&self, content: &Bytes, room: Option<Reservation>) -> Option<Arc<Loan>> {
        let (address, size) = (content.as_ptr().addr(), content.len());
        let mut lent = lock(&self.lent);
        if let Some(loan) = lent.get(&address).and_then(Weak::upgrade) {
            return Some(loan);
        }
        let room = room.filter(|room| room.bytes() >= size).or_else(|| self.budget.try_reserve(size))?;
        let loan = Arc::new(Loan { address, lent: Arc::clone(&self.lent), _room: room });
        lent.insert(address, Arc::downgrade(&loan));
        Some(loan)
    }
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut lent = lock(&self.lent);
        // Another one may have come to be in its place.
        if lent.get(&self.address).is_some_and(|loan| loan.strong_count() == 0) {
            lent.remove(&self.address);
        }
    }
}

fn lock(lent: &Mutex<Loans>) -> MutexGuard<'_, Loans> {
    // The table is right after every single step.
    lent.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for LargeManifests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargeManifests")
            .field("budget", &self.budget)
            .field("patience", &self.patience)
            .field("lent", &lock(&self.lent).len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use berth_oci::Digest;

    use super::*;

    const SIZE: usize = 300 << 10;
    const PATIENCE: Duration = Duration::from_secs(30);

    fn manifest(size: usize) -> PulledManifest {
        let content = Bytes::from(vec![7; size]);
        PulledManifest { digest: Digest::sha256(&content), media_type: content.slice(..5), content }
    }

    #[test]
    fn the_same_bytes_count_once_until_the_last_client_has_them() {
        let budget = BufferPool::new(1 << 20);
        let manifests = LargeManifests::new(budget.clone(), PATIENCE);
        let known = manifest(SIZE);
        let clients: Vec<_> = (0..10).map(|_| manifests.lend(&known, None).expect("there is room")).collect();
        assert_eq!(budget.in_use(), SIZE);
        assert!(clients.iter().all(|sent| sent.content.as_ptr() == known.content.as_ptr()));
        drop(known);
        let mut clients = clients.into_iter();
        let last = clients.next_back();
        assert_eq!(clients.map(drop).count(), 9);
        assert_eq!((budget.in_use(), lock(&manifests.lent).len()), (SIZE, 1));
        drop(last);
        assert_eq!((budget.in_use(), lock(&manifests.lent).len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let budget = BufferPool::new(1 << 20);
        let manifests = LargeManifests::new(budget.clone(), PATIENCE);
        let _all = budget.try_reserve(1 << 20);
        assert!(manifests.room(SIZE).await.is_err());
    }

    #[tokio::test]
    async fn others_wait_for_room_and_small_ones_do_not() {
        let budget = BufferPool::new(1 << 20);
        let manifests = LargeManifests::new(budget.clone(), PATIENCE);
        let lend = |room| manifests.lend(&manifest(SIZE), room);
        let mut sent: Vec<_> = (0..3).map(|_| lend(None).expect("there is room")).collect();
        assert_eq!(lend(None), None);
        assert!(manifests.lend(&manifest(SMALL), None).is_some());
        let mut room = Box::pin(manifests.room(SIZE));
        assert!(futures::poll!(&mut room).is_pending());
        sent.pop();
        let room = room.await.unwrap();
        assert_eq!(lend(None), None, "the room is whose turn it was");
        sent.push(lend(Some(room)).expect("there is room"));
        let too_small = manifests.room(SIZE / 3).await.unwrap();
        assert_eq!(lend(Some(too_small)), None);
    }
}
