//! The budget is kept, memory is used again, and it is given back.

use super::*;

#[tokio::test]
async fn stays_within_the_budget_and_reuses_memory() {
    let pool = BufferPool::new(2 * LARGE);
    let mut first = pool.take(LARGE).await;
    assert_eq!(first.append(b"berth"), 5);
    assert_eq!(first.as_ref().as_ptr().align_offset(BLOCK), 0);
    let memory = first.as_ref().as_ptr();
    let shared = first.freeze();
    let second = pool.take(LARGE).await;
    assert_eq!(pool.in_use(), 2 * LARGE);
    assert!(pool.try_take(1).is_none());
    assert_eq!(&shared[..], b"berth");
    drop(second);
    drop(shared);
    assert_eq!((pool.in_use(), pool.idle()), (0, 2 * LARGE));
    let again = pool.take(LARGE).await;
    assert!(again.is_empty(), "a reused buffer starts empty");
    assert_eq!(again.as_ref().as_ptr(), memory, "the memory that came back last is used first");
}

#[tokio::test]
async fn every_size_has_its_buffer() {
    let pool = BufferPool::new(8 * LARGE);
    for wanted in [0, 1, BLOCK, SMALL - 1, SMALL, SMALL + 1, LARGE, LARGE + 1, 3 * LARGE] {
        let mut buffer = pool.take(wanted).await;
        assert!(buffer.capacity() >= wanted && buffer.capacity().is_multiple_of(BLOCK));
        assert_eq!(pool.in_use(), buffer.capacity());
        let full = vec![7; buffer.capacity()];
        assert_eq!(buffer.append(&full), full.len());
        assert!(buffer.is_full() && buffer.append(b"more") == 0);
        assert_eq!(buffer.freeze(), full);
    }
    assert_eq!(pool.in_use(), 0);
}

#[tokio::test]
async fn kept_memory_of_another_size_makes_room() {
    let pool = BufferPool::new(4 * LARGE);
    let small: Vec<Buffer> = (0..16).map_while(|_| pool.try_take(SMALL)).collect();
    assert_eq!((small.len(), pool.in_use()), (16, 4 * LARGE));
    drop(small);
    assert_eq!(pool.idle(), 4 * LARGE);
    let large = pool.take(LARGE).await;
    assert!(
        pool.idle() + pool.in_use() <= pool.budget(),
        "kept and handed out are within the budget together"
    );
    drop(large);
}

#[tokio::test]
async fn memory_is_given_back_when_its_use_ends() {
    let pool = BufferPool::new(64 * LARGE);
    let mut buffers: Vec<Buffer> = (0..64).map_while(|_| pool.try_take(LARGE)).collect();
    assert_eq!(buffers.len(), 64);
    while let Some(buffer) = buffers.pop() {
        drop(buffer);
        assert!(
            pool.idle() <= pool.in_use().max(12 * LARGE),
            "{} kept, {} in use",
            pool.idle(),
            pool.in_use()
        );
    }
    assert_eq!((pool.in_use(), pool.idle()), (0, 12 * LARGE));
}

#[tokio::test]
async fn who_waits_for_much_is_not_passed_by_for_ever() {
    let pool = BufferPool::new(4 * LARGE);
    let held = pool.take(SMALL).await;
    let mut large = Box::pin(pool.take(4 * LARGE));
    assert!(futures::poll!(&mut large).is_pending());
    let mut late = Box::pin(pool.take(SMALL));
    assert!(futures::poll!(&mut late).is_pending(), "later ones queue up behind it");
    drop(held);
    assert_eq!(large.await.capacity(), 4 * LARGE);
    assert!(late.await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_hold_more_than_the_budget() {
    let pool = BufferPool::new(3 * LARGE);
    let workers: Vec<_> = (0..16_usize)
        .map(|worker| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for round in 0..200_usize {
                    let wanted = [1, 20 << 10, SMALL, LARGE, LARGE + BLOCK][(worker + round) % 5];
                    let mut buffer = pool.take(wanted).await;
                    let mark = [u8::try_from(worker).unwrap(); 64];
                    buffer.append(&mark);
                    assert!(pool.in_use() <= pool.budget());
                    tokio::task::yield_now().await;
                    assert_eq!(buffer.freeze()[..], mark, "a buffer belongs to one");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(pool.in_use(), 0);
    assert!(pool.idle() <= pool.budget());
}

#[tokio::test]
async fn what_lies_elsewhere_counts_as_long_as_it_is_reserved() {
    let pool = BufferPool::new(4 * LARGE);
    drop(pool.take(LARGE).await);
    let three = pool.reserve(3 * LARGE + 1).await;
    assert_eq!((three.bytes(), pool.in_use()), (3 * LARGE + 1, 3 * LARGE + BLOCK));
    assert!(pool.idle() + pool.in_use() <= pool.budget(), "kept memory made room");
    assert!(pool.try_take(LARGE).is_none() && pool.try_reserve(LARGE).is_none());
    let mut all = Box::pin(pool.reserve(100 * LARGE));
    assert!(futures::poll!(&mut all).is_pending());
    drop(three);
    let mut all = all.await;
    assert_eq!((all.bytes(), pool.in_use()), (100 * LARGE, pool.budget()));
    all.shrink(LARGE - 1);
    assert_eq!((all.bytes(), pool.in_use()), (LARGE - 1, LARGE));
    all.shrink(2 * LARGE);
    assert_eq!((all.bytes(), pool.in_use()), (LARGE - 1, LARGE));
    drop(all);
    assert_eq!(pool.in_use(), 0);
}
