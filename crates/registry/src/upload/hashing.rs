//! Hashing beside receiving and writing: on a blocking thread while there is something to hash, on none while there is not.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_oci::Hasher;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How many pieces may wait: enough that the hash, which is the slowest, never waits for a piece.
const WAITING: usize = 3;
/// Fewer bytes than this are hashed where they are: handing them over would take longer.
const SMALL: usize = 32 << 10;

/// A hash that runs elsewhere.
pub(crate) struct Hashing {
    queue: Arc<Mutex<Queue>>,
    room: Arc<Semaphore>,
}

struct Queue {
    jobs: VecDeque<Job>,
    /// Here while no thread has it.
    hasher: Option<Hasher>,
}

enum Job {
    Take(Bytes, OwnedSemaphorePermit),
    Tell(oneshot::Sender<Hasher>),
}

impl Hashing {
    /// Goes on from `hasher`.
    pub(crate) fn new(hasher: Hasher) -> Self {
        let queue = Queue { jobs: VecDeque::new(), hasher: Some(hasher) };
        Self { queue: Arc::new(Mutex::new(queue)), room: Arc::new(Semaphore::new(WAITING)) }
    }

    /// Takes the next piece in; waits while too many wait already.
    pub(crate) async fn push(&self, piece: Bytes) {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.unwrap_or_else(|_| unreachable!("the semaphore is never closed"));
        self.add(Job::Take(piece, room));
    }

    /// The hash of everything that was pushed before this call; what is pushed while it is awaited does not count.
    pub(crate) fn hasher(&self) -> impl Future<Output = Hasher> + Send + use<> {
        let (tell, told) = oneshot::channel();
        self.add(Job::Tell(tell));
        async move {
            match told.await {
                Ok(hasher) => hasher,
                // The runtime is at its end, and no thread answers any more.
                Err(_) => std::future::pending().await,
            }
        }
    }

    fn add(&self, job: Job) {
        let mut queue = lock(&self.queue);
        queue.jobs.push_back(job);
        if let Some(hasher) = queue.hasher.take() {
            let queue = Arc::clone(&self.queue);
            tokio::task::spawn_blocking(move || work(&queue, hasher));
        }
    }
}

/// Does all jobs, then puts the hasher back.
fn work(queue: &Mutex<Queue>, mut hasher: Hasher) {
    loop {
        let job = {
            let mut queue = lock(queue);
            let Some(job) = queue.jobs.pop_front() else {
                queue.hasher = Some(hasher);
                return;
            };
            job
        };
        match job {
            Job::Take(piece, room) => {
                hasher.update(&piece);
                // The memory goes back before the room is given to the next piece.
                drop(piece);
                drop(room);
            }
            // Whoever asked may be gone.
            Job::Tell(tell) => drop(tell.send(hasher.clone())),
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hash after `bytes`, taken in here if they are few, else on a blocking thread.
pub(crate) async fn update(mut hasher: Hasher, bytes: Bytes) -> Hasher {
    if bytes.len() <= SMALL {
        hasher.update(&bytes);
        return hasher;
    }
    let hashing = Hashing::new(hasher);
    hashing.push(bytes).await;
    hashing.hasher().await
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use berth_oci::{Algorithm, Digest};

    use super::*;

    #[tokio::test]
    async fn hashes_pieces_in_order_and_tells_between_them() {
        let content: Vec<u8> = (0..200_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let hashing = Hashing::new(Hasher::new(Algorithm::Sha256));
        let mut pushed = 0;
        for piece in content.chunks(30_011) {
            hashing.push(Bytes::copy_from_slice(piece)).await;
            pushed += piece.len();
            if pushed < 100_000 {
                assert_eq!(hashing.hasher().await.digest(), Digest::sha256(&content[..pushed]));
            }
        }
        assert_eq!(hashing.hasher().await.digest(), Digest::sha256(&content));
        let updated = update(Hasher::new(Algorithm::Sha512), content.clone().into()).await;
        assert_eq!(updated.digest(), Digest::of(Algorithm::Sha512, &content));
    }
}
