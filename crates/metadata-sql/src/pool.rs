//! A pool that knows how many wait for one of its connections, which sqlx does not say.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{Database, Describe, Either, Error, Execute, Executor, Pool, SqlStr, Transaction};

/// Connections for whoever asks, and a count of those who ask. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Connections<DB: Database> {
    pool: Pool<DB>,
    waiting: Arc<AtomicUsize>,
}

/// Counts as one who waits until it is dropped.
struct Waits<'w>(&'w AtomicUsize);

impl<'w> Waits<'w> {
    fn for_one(waiting: &'w AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<DB: Database> Connections<DB> {
    pub(crate) fn of(pool: Pool<DB>) -> Self {
        Self { pool, waiting: Arc::default() }
    }

    /// A connection, when there is one.
    pub(crate) async fn acquire(&self) -> sqlx::Result<PoolConnection<DB>> {
        let _waits = Waits::for_one(&self.waiting);
        self.pool.acquire().await
    }

    /// A transaction on one.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction<'static, DB>> {
        Transaction::begin(self.acquire().await?, None).await
    }

    /// How many wait for a connection.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.pool.size() as usize
    }

    /// How many of them nobody uses.
    pub(crate) fn idle(&self) -> usize {
        self.pool.num_idle()
    }

    /// Ends all connections; those who wait for one are refused.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

impl<DB: Database> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), waiting: Arc::clone(&self.waiting) }
    }
}

impl<'p, DB: Database> Executor<'p> for &'_ Connections<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<DB::QueryResult, DB::Row>>>
    where
        E: 'q + Execute<'q, DB>,
    {
        let connections = self.clone();
        // Whoever asks here takes all of the answer: none is read piece by piece.
        let answers = async move {
            let mut connection = connections.acquire().await?;
            let answers: Vec<_> = connection.fetch_many(query).try_collect().await?;
            Ok::<_, Error>(stream::iter(answers.into_iter().map(Ok)))
        };
        stream::once(answers).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<DB::Row>>>
    where
        E: 'q + Execute<'q, DB>,
    {
        let connections = self.clone();
        Box::pin(async move { connections.acquire().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(
        self,
        text: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<DB::Statement>>
    where
        'p: 'e,
    {
        let connections = self.clone();
        Box::pin(async move { connections.acquire().await?.prepare_with(text, parameters).await })
    }

    // Part of the trait because the library's `macros` are asked for.
    fn describe<'e>(self, text: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<DB>>>
    where
        'p: 'e,
    {
        let connections = self.clone();
        Box::pin(async move { connections.acquire().await?.describe(text).await })
    }
}
