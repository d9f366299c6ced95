//! PostgreSQL's pool. Nothing waits for ever: a network that swallows packets says nothing, and neither does a server that died
//! with its machine.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, Postgres};
use tokio::time::timeout;

use crate::pool::Connections;

/// Connections at once, if nobody says how many.
const CONNECTIONS: u32 = 16;

/// How long a statement may take, if nobody says.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// A connection that was idle for this long is asked whether it lives before it is used.
const DOUBTFUL: Duration = Duration::from_secs(30);

/// How long a connection that is asked whether it lives may take.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// A pool, with one connection open.
pub(crate) async fn pool(
    options: PgConnectOptions,
    connections: Option<u32>,
) -> sqlx::Result<Connections<Postgres>> {
    let pool = PgPoolOptions::new()
        .max_connections(connections.unwrap_or(CONNECTIONS))
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move { Ok(metadata.idle_for < DOUBTFUL || is_alive(connection).await) })
        })
        .after_connect(|connection, _| Box::pin(durable(connection)))
        .after_release(|connection, _: PoolConnectionMetadata| Box::pin(is_usable(connection)))
        .connect_with(options)
        .await?;
    Ok(Connections::of(pool))
}

/// The answer, if it comes in time.
pub(crate) async fn answered<T>(
    patience: Duration,
    answer: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    timeout(patience, answer).await.unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
}

/// A role may come with commits that are acknowledged before they are on disk. Who pushes was promised more.
async fn durable(connection: &mut PgConnection) -> sqlx::Result<()> {
    let on = "SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off'";
    sqlx::raw_sql(on).execute(connection).await.map(drop)
}

async fn is_alive(connection: &mut PgConnection) -> bool {
    timeout(SIGN_OF_LIFE, connection.ping()).await.is_ok_and(|answer| answer.is_ok())
}

/// A connection whose statement was given up goes back to the pool only if it comes to its end soon; else it would keep its place
/// there until the system gives the connection up, which takes a quarter of an hour.
async fn is_usable(connection: &mut PgConnection) -> sqlx::Result<bool> {
    // An error and not a no: nobody is there to say goodbye to.
    if is_alive(connection).await { Ok(true) } else { Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())) }
}
