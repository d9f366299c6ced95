//! Pages of lists on their way out, under a budget.
//!
//! **Invariants.** The bytes of a large page count from before its rows are read until the client has them. Who waits for room
//! holds no rows and no connection to the database meanwhile, and is told to come again before other programs give it up. Who asks
//! for little, or for a list that has little, waits for nobody.

use std::time::Duration;

use berth_blobs::{BufferPool, Reservation};
use berth_metadata::Error as DatabaseError;
use bytes::Bytes;
use tokio::time::timeout;

use crate::apart::SMALL;
use crate::large_manifests::Crowded;
use crate::{Page, Result};

/// What a name takes in a list beside its bytes.
pub(crate) const QUOTED: usize = r#""","#.len();

/// What large pages take.
#[derive(Debug)]
pub(crate) struct Lists {
    budget: BufferPool,
    patience: Duration,
}

/// Room in the budget for one page; none for a small one.
#[derive(Debug, Default)]
pub struct Room(Option<Reservation>);

/// The bytes of a page that go to a client.
struct Sent {
    page: Vec<u8>,
    _room: Reservation,
}

impl Lists {
    /// None is out. Nobody waits for longer than `patience`.
    pub(crate) fn new(budget: BufferPool, patience: Duration) -> Self {
        Self { budget, patience }
    }

    /// Waits until there is room for a page of so many bytes.
    pub(crate) async fn room(&self, bytes: usize) -> Result<Room> {
        if bytes <= SMALL {
            return Ok(Room::default());
        }
        let waiting = timeout(self.patience, self.budget.reserve(bytes));
        Ok(Room(Some(waiting.await.map_err(|_| Crowded)?)))
    }

    /// A page of `limit` entries, none of which takes more than `longest` bytes of it. `read` reads as many as it is told to.
    pub(crate) async fn page<T, F>(
        &self,
        limit: u32,
        longest: usize,
        read: impl Fn(u32) -> F,
    ) -> Result<Page<T>>
    where
        F: Future<Output = Result<Vec<T>, DatabaseError>>,
    {
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_mul(longest);
        let at_once = (most > SMALL).then(|| self.budget.try_reserve(most)).flatten();
        let room = if let Some(room) = at_once {
            Room(Some(room))
        } else {
            // Most lists are short, whatever is asked for.
            let few = u32::try_from(SMALL / longest).unwrap_or(u32::MAX);
            let first = read(Page::ask(limit.min(few))).await?;
            if most <= SMALL || first.len() <= few as usize {
                return Ok(Page::cut(first, limit));
            }
            drop(first);
            self.room(most).await?
        };
        Ok(Page { room, ..Page::cut(read(Page::ask(limit)).await?, limit) })
    }
}

impl Room {
    /// The bytes of the page, which count as long as anybody has them. What is not needed for them is given back.
    #[must_use]
    pub fn hold(self, mut page: Vec<u8>) -> Bytes {
        let Some(mut room) = self.0.filter(|_| page.len() > SMALL) else { return page.into() };
        page.shrink_to_fit();
        room.shrink(page.len());
        Bytes::from_owner(Sent { page, _room: room })
    }
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.page
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::sync::Mutex;

    use futures::poll;

    use super::*;
    use crate::Error;

    const PATIENCE: Duration = Duration::from_secs(30);
    const MIB: usize = 1 << 20;
    const LONGEST: usize = 128;
    const FEW: u32 = 512;

    /// A list of so many entries, and how many of them were asked for each time.
    struct List {
        entries: u32,
        asked: Mutex<Vec<u32>>,
    }

    impl List {
        fn of(entries: u32) -> Self {
            Self { entries, asked: Mutex::default() }
        }

        fn read(&self, limit: u32) -> Ready<Result<Vec<u32>, DatabaseError>> {
            self.asked.lock().unwrap().push(limit);
            ready(Ok((0..self.entries.min(limit)).collect()))
        }

        fn asked(&self) -> Vec<u32> {
            self.asked.lock().unwrap().clone()
        }
    }

    #[tokio::test]
    async fn a_large_page_counts_until_it_was_sent_and_no_more_than_it_is() {
        let budget = BufferPool::new(2 * MIB);
        let lists = Lists::new(budget.clone(), PATIENCE);
        let list = List::of(20_000);
        let page = lists.page(10_000, LONGEST, |limit| list.read(limit)).await.unwrap();
        assert_eq!((page.items.len(), page.more, list.asked()), (10_000, true, vec![10_001]));
        assert_eq!(budget.in_use(), (10_000 * LONGEST).next_multiple_of(4096));
        let mut bytes = vec![7; 100_000];
        bytes.reserve(MIB);
        let sent = page.room.hold(bytes);
        assert_eq!((sent.len(), budget.in_use()), (100_000, 100_000_usize.next_multiple_of(4096)));
        let half = sent.slice(..50_000);
        drop(sent);
        assert!(budget.in_use() > 0);
        drop(half);
        assert_eq!(budget.in_use(), 0);
    }

    #[tokio::test]
    async fn small_pages_count_for_nothing() {
        let budget = BufferPool::new(MIB);
        let lists = Lists::new(budget.clone(), PATIENCE);
        let list = List::of(20_000);
        let page = lists.page(FEW, LONGEST, |limit| list.read(limit)).await.unwrap();
        assert_eq!((page.items.len(), page.more, budget.in_use()), (512, true, 0));
        // What was asked for might have been large, but was not.
        let page = lists.page(2 * FEW, LONGEST, |limit| list.read(limit)).await.unwrap();
        let sent = page.room.hold(vec![7; SMALL]);
        assert_eq!((sent.len(), budget.in_use()), (SMALL, 0));
    }

    #[tokio::test]
    async fn who_asks_for_little_waits_for_nobody() {
        let budget = BufferPool::new(MIB);
        let lists = Lists::new(budget.clone(), PATIENCE);
        let _all = budget.try_reserve(MIB).unwrap();
        for (entries, limit) in [(0, 10_000), (FEW, 10_000), (20_000, FEW), (20_000, 0)] {
            let list = List::of(entries);
            let page = lists.page(limit, LONGEST, |limit| list.read(limit)).await.unwrap();
            let expected = entries.min(limit);
            assert_eq!(page.items, (0..expected).collect::<Vec<_>>());
            assert_eq!(
                (page.more, list.asked().len()),
                (limit > 0 && entries > limit, 1),
                "{entries} {limit}"
            );
        }
        assert!(lists.room(SMALL).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_room_gets_it_or_is_told_to_come_again() {
        let budget = BufferPool::new(MIB);
        let lists = Lists::new(budget.clone(), PATIENCE);
        let all = budget.try_reserve(MIB).unwrap();
        let list = List::of(FEW + 1);
        let read = |limit| list.read(limit);
        let refused = lists.page(10_000, LONGEST, read).await;
        assert!(matches!(refused, Err(Error::Crowded)), "{refused:?}");
        let mut waiting = Box::pin(lists.page(10_000, LONGEST, read));
        assert!(poll!(&mut waiting).is_pending());
        drop(all);
        let page = waiting.await.unwrap();
        assert_eq!((page.items.len(), page.more), (513, false));
        assert_eq!(list.asked(), [FEW + 1, FEW + 1, 10_001]);
        assert_eq!(budget.in_use(), MIB);
    }
}
