//! Group commit: who waits for whom, and that nobody's answer is wrong.

use std::fs;
use std::time::Duration;

use berth_domain::{Actor, Repository};
use berth_metadata::certain::certain;
use berth_metadata::{Error, Metadata as _, SettingReads as _, SettingWrites as _, Transaction};
use futures::future::{join, join_all};
use futures::poll;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::{NOW, blob, embedded, is_there, push, repository, until_waiting};
use crate::statement::{Statement, on_any};
use crate::transaction::SqlTransaction;
use crate::{SqlMetadata, sqlite};

/// Adds and links a blob in an open transaction.
async fn add(tx: &mut dyn Transaction, repository: &Repository, content: &str) {
    let blob = blob(content);
    tx.add_blob(&blob, NOW).await.unwrap();
    tx.link_blob(repository, &blob.digest, blob.size, &Actor::system(), NOW).await.unwrap();
}

/// What a second writer does when it is told to.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Commit,
    /// Its last statements fail, which wait until it commits.
    Fail,
    Drop,
    /// It is dropped before its first statement.
    Leave,
}

impl Ends {
    /// How many statements it has that break a rule.
    const fn wrong(self) -> usize {
        if matches!(self, Self::Fail) { 2 } else { 0 }
    }
}

const SET_ONCE: Statement = Statement {
    name: "SET_ONCE",
    postgres: "",
    lite: "INSERT INTO settings (name, value) VALUES ('once', $1)",
    gives_rows: false,
};

const SET_ANOTHER: Statement = Statement {
    name: "SET_ANOTHER",
    postgres: "",
    lite: "INSERT INTO settings (name, value) VALUES ('another', $1)
           ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    gives_rows: false,
};

async fn set_once(tx: &mut SqlTransaction) -> berth_metadata::Result<()> {
    later!(tx, SET_ONCE, b"1".as_slice());
    Ok(())
}

/// Sets both, asked together.
async fn set_both(tx: &mut SqlTransaction, value: &[u8]) -> berth_metadata::Result<(u64, u64)> {
    Ok(execute_both!(tx, (SET_ONCE, value), (SET_ANOTHER, value)))
}

/// Another process's connection, which does not wait.
async fn rival(directory: &TempDir) -> SqliteConnection {
    let options = sqlite::writer(&directory.path().join("berth.db"));
    options.busy_timeout(Duration::ZERO).connect().await.unwrap()
}

/// Lets the writer's connection wait for no other process, until there is another one.
async fn lose_patience(metadata: &SqlMetadata) -> berth_metadata::Result<()> {
    let mut tx = metadata.transaction().await?;
    let _: Option<(i64,)> = optional!(&mut tx, on_any("PRAGMA busy_timeout = 1"));
    Box::new(tx).commit().await
}

/// Whether it is still that connection.
async fn has_lost_patience(metadata: &SqlMetadata) -> berth_metadata::Result<bool> {
    let mut tx = metadata.transaction().await?;
    let patience: Option<(i64,)> = optional!(&mut tx, on_any("PRAGMA busy_timeout"));
    Box::new(tx).commit().await?;
    Ok(patience == Some((1,)))
}

/// How the writer's connection commits: its `synchronous`, `journal_mode` and `wal_autocheckpoint`.
async fn how_it_commits(metadata: &SqlMetadata) -> berth_metadata::Result<(i64, String, i64)> {
    let mut tx = metadata.transaction().await?;
    let synchronous: Option<(i64,)> = optional!(&mut tx, on_any("PRAGMA synchronous"));
    let journal: Option<(String,)> = optional!(&mut tx, on_any("PRAGMA journal_mode"));
    let pages: Option<(i64,)> = optional!(&mut tx, on_any("PRAGMA wal_autocheckpoint"));
    Box::new(tx).commit().await?;
    Ok((synchronous.unwrap().0, journal.unwrap().0, pages.unwrap().0))
}

/// A first writer commits while a second one waits for its turn; the second one ends when it is told to.
async fn two_writers(metadata: &SqlMetadata, repository: &Repository, ends: Ends) {
    let (name, other) = match ends {
        Ends::Commit => ("1c", "2c"),
        Ends::Fail => ("1f", "2f"),
        Ends::Drop => ("1d", "2d"),
        Ends::Leave => ("1l", "2l"),
    };
    let mut first = metadata.begin().await.unwrap();
    add(&mut *first, repository, name).await;
    let (begun, has_begun) = oneshot::channel();
    let (end, may_end) = oneshot::channel::<()>();
    let second = tokio::spawn({
        let (metadata, repository) = (metadata.clone(), repository.clone());
        async move {
            let attempt = async {
                let mut tx = metadata.transaction().await?;
                if ends != Ends::Leave {
                    add(&mut tx, &repository, other).await;
                }
                begun.send(()).unwrap();
                may_end.await.unwrap();
                for _ in 0..ends.wrong() {
                    set_once(&mut tx).await.unwrap();
                }
                match ends {
                    Ends::Commit | Ends::Fail => Box::new(tx).commit().await,
                    Ends::Drop | Ends::Leave => Ok(()),
                }
            };
            let ended = certain(attempt).await;
            assert_eq!(matches!(ended, Err(Error::Conflict)), ends == Ends::Fail, "{ended:?}");
            // It saw what the first one did.
            assert!(ends != Ends::Drop || is_there(&metadata, &repository, name).await);
        }
    });
    until_waiting(metadata, 1).await;
    let commit = tokio::spawn(first.commit());
    has_begun.await.unwrap();
    // The connection was handed on, and nothing is committed yet.
    assert!(!commit.is_finished());
    assert!(!is_there(metadata, repository, name).await);
    end.send(()).unwrap();
    commit.await.unwrap().unwrap();
    second.await.unwrap();
    assert!(is_there(metadata, repository, name).await);
    assert_eq!(is_there(metadata, repository, other).await, ends == Ends::Commit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_of_a_group_commits_for_all() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    two_writers(&metadata, &repository, Ends::Commit).await;
    two_writers(&metadata, &repository, Ends::Fail).await;
    two_writers(&metadata, &repository, Ends::Drop).await;
    two_writers(&metadata, &repository, Ends::Leave).await;
    push(&metadata, &repository, "afterwards").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_no_attempt_sees_only_what_is_committed() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let mut first = metadata.begin().await.unwrap();
    add(&mut *first, &repository, "first").await;
    let second = tokio::spawn({
        let metadata = metadata.clone();
        async move { metadata.begin().await.unwrap() }
    });
    until_waiting(&metadata, 1).await;
    let commit = tokio::spawn(first.commit());
    let second = second.await.unwrap();
    assert!(is_there(&metadata, &repository, "first").await);
    commit.await.unwrap().unwrap();
    drop(second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_who_stops_waiting_holds_nobody_up() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let mut first = metadata.begin().await.unwrap();
    add(&mut *first, &repository, "first").await;
    let second = tokio::spawn({
        let metadata = metadata.clone();
        async move { metadata.begin().await.map(drop) }
    });
    until_waiting(&metadata, 1).await;
    let commit = tokio::spawn(first.commit());
    second.abort();
    commit.await.unwrap().unwrap();
    assert!(is_there(&metadata, &repository, "first").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_goes_on_when_nobody_waits_for_it() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let mut tx = metadata.begin().await.unwrap();
    add(&mut *tx, &repository, "unheard").await;
    {
        let mut commit = tx.commit();
        // Polled until the last statement is under way, and dropped.
        for _ in 0..1000 {
            if poll!(&mut commit).is_ready() {
                break;
            }
            yield_now().await;
        }
    }
    // The next one waits for whatever became of it.
    metadata.begin().await.unwrap().commit().await.unwrap();
    push(&metadata, &repository, "next").await.unwrap();
    assert!(is_there(&metadata, &repository, "next").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_crash() {
    let (directory, crashed) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let names: Vec<String> = (0..100).map(|n| format!("blob {n}")).collect();
    let pushes = names.iter().map(|name| push(&metadata, &repository, name));
    assert!(join_all(pushes).await.iter().all(Result::is_ok));
    let mut open = metadata.begin().await.unwrap();
    add(&mut *open, &repository, "not answered").await;
    // What lies on the disk at this moment, without any end of the process.
    for name in ["berth.db", "berth.db-wal"] {
        fs::copy(directory.path().join(name), crashed.path().join(name)).unwrap();
    }
    let after = embedded(&crashed).await;
    for name in &names {
        assert!(is_there(&after, &repository, name).await, "{name}");
    }
    assert!(!is_there(&after, &repository, "not answered").await);
}

/// No crash of a process tells a commit that was synced from one that was only written, so the connection is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_for_all_syncs_every_commit() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    // 2 is FULL: the log is synced with every commit.
    let durable = (2, "wal".to_owned(), 4000);
    assert_eq!(how_it_commits(&metadata).await.unwrap(), durable);
    // And so does the connection that takes its place.
    let mut rival = rival(&directory).await;
    lose_patience(&metadata).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut rival).await.unwrap();
    let refused = metadata.begin().await.unwrap().commit().await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut rival).await.unwrap();
    assert_eq!(how_it_commits(&metadata).await.unwrap(), durable);
    assert!(!has_lost_patience(&metadata).await.unwrap(), "the connection was replaced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_answers_those_who_wait() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let writers: Vec<_> = (0..20)
        .map(|n| {
            let (metadata, repository) = (metadata.clone(), repository.clone());
            tokio::spawn(async move { (n, push(&metadata, &repository, &format!("{n}")).await) })
        })
        .collect();
    metadata.close().await;
    let answers: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let again = embedded(&directory).await;
    for (n, answer) in answers {
        match answer {
            Ok(_) => assert!(is_there(&again, &repository, &format!("{n}")).await, "{n}"),
            Err(error) => assert!(matches!(error, Error::Unavailable(_)), "{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_without_a_statement_keeps_nobody_out() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let mut rival = rival(&directory).await;
    lose_patience(&metadata).await.unwrap();
    let first = metadata.begin().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE; COMMIT").execute(&mut rival).await.unwrap();
    let next = push(&metadata, &repository, "next");
    let leave = async {
        until_waiting(&metadata, 1).await;
        drop(first);
    };
    let (pushed, ()) = join(next, leave).await;
    pushed.unwrap();
    // Nor does one who commits nothing.
    metadata.begin().await.unwrap().commit().await.unwrap();
    assert!(has_lost_patience(&metadata).await.unwrap(), "there was nothing to undo");
    sqlx::raw_sql("BEGIN IMMEDIATE; COMMIT").execute(&mut rival).await.unwrap();
    assert!(is_there(&metadata, &repository, "next").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_after_a_beginning_that_failed_begins_anew() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let mut rival = rival(&directory).await;
    for (content, commits) in [("after a statement", false), ("after a commit", true)] {
        lose_patience(&metadata).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut rival).await.unwrap();
        let mut first = metadata.begin().await.unwrap();
        let first = async {
            until_waiting(&metadata, 1).await;
            let (refused, first) = if commits {
                (first.commit().await, None)
            } else {
                (first.add_blob(&blob("refused"), NOW).await.map(drop), Some(first))
            };
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
            sqlx::raw_sql("ROLLBACK").execute(&mut rival).await.unwrap();
            drop(first);
        };
        let ((), pushed) = join(first, push(&metadata, &repository, content)).await;
        pushed.unwrap();
        assert!(!has_lost_patience(&metadata).await.unwrap(), "the connection was replaced");
        assert!(is_there(&metadata, &repository, content).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_are_asked_together_the_first_can_fail() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let mut tx = metadata.transaction().await.unwrap();
    assert_eq!(set_both(&mut tx, b"1").await.unwrap(), (1, 1));
    Box::new(tx).commit().await.unwrap();
    for first in [true, false] {
        let mut tx = metadata.transaction().await.unwrap();
        if !first {
            tx.ensure_setting("something", b"before them").await.unwrap();
        }
        let refused = set_both(&mut tx, b"2").await;
        assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
        let refused = Box::new(tx).commit().await;
        assert!(refused.is_err(), "{refused:?}");
    }
    assert_eq!(metadata.setting("another").await.unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(metadata.setting("something").await.unwrap(), None);
}
