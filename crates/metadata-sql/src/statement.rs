//! Statements: one text for both databases, or one each, and the calls that run them on whichever it is.

use crate::{
    blob, database, deletion, group, manifest, member, pending, project, project_page, pull, reference,
    referrer, refresh_token, repository, review, robot, role, sealed_secret, session, setting, signing_key,
    sqlite, standing, sum, tag, upload, user,
};

/// One of two: whatever exists once a database.
#[derive(Debug)]
pub(crate) enum Either<P, L> {
    /// PostgreSQL's.
    Postgres(P),
    /// SQLite's.
    Lite(L),
}

/// A statement's two texts, which take the same parameters and give the same columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    /// Its name in the code.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests name the statement that they found wrong"))]
    pub(crate) name: &'static str,
    /// The text for PostgreSQL.
    pub(crate) postgres: &'static str,
    /// The text for SQLite.
    pub(crate) lite: &'static str,
    /// Whether it may give rows. One that does cannot be left waiting: nobody would tell its rows from those of the next one.
    pub(crate) gives_rows: bool,
}

/// A statement of the tests, which reads the same on both.
#[cfg(test)]
pub(crate) const fn on_any(text: &'static str) -> Statement {
    Statement { name: text, postgres: text, lite: text, gives_rows: true }
}

/// Every statement that this crate runs, by noun.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the list is for the test that prepares it on both databases")
)]
pub(crate) fn all() -> impl Iterator<Item = &'static Statement> {
    [
        blob::STATEMENTS,
        database::STATEMENTS,
        deletion::STATEMENTS,
        group::STATEMENTS,
        manifest::STATEMENTS,
        member::STATEMENTS,
        pending::STATEMENTS,
        project::STATEMENTS,
        project_page::STATEMENTS,
        pull::STATEMENTS,
        reference::STATEMENTS,
        referrer::STATEMENTS,
        refresh_token::STATEMENTS,
        repository::STATEMENTS,
        review::STATEMENTS,
        robot::STATEMENTS,
        role::STATEMENTS,
        sealed_secret::STATEMENTS,
        session::STATEMENTS,
        setting::STATEMENTS,
        signing_key::STATEMENTS,
        sqlite::STATEMENTS,
        standing::STATEMENTS,
        sum::STATEMENTS,
        tag::STATEMENTS,
        upload::STATEMENTS,
        user::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}

/// The texts of a statement: `sql!("…")` where both databases read the same, `sql!(pg: "…", lite: "…")` where they do not.
macro_rules! sql {
    (pg: $postgres:expr, lite: $lite:expr $(,)?) => {
        ($postgres, $lite)
    };
    ($both:expr) => {
        ($both, $both)
    };
}

/// The live repository `r` in which the row `$row` is. Looked up for each row: left to choose, PostgreSQL would go along all repositories
/// from the first one on to join them with one page of a list.
macro_rules! in_repository {
    (pg: $row:literal) => {
        concat!(
            " CROSS JOIN LATERAL (
                 SELECT r.id, r.project_id, r.name, r.created_at FROM repositories r
                 WHERE r.id = ",
            $row,
            ".repository_id AND r.deleted_at IS NULL OFFSET 0
             ) AS r "
        )
    };
    (lite: $row:literal) => {
        concat!(" JOIN repositories r ON r.id = ", $row, ".repository_id AND r.deleted_at IS NULL ")
    };
}

/// A row's next `valid_after`: the moment given, or just after what was there if the clock that gave it is behind.
macro_rules! next_valid_after {
    ($at:expr) => {
        concat!("CASE WHEN valid_after >= ", $at, " THEN valid_after + 1 ELSE ", $at, " END")
    };
}

/// Whether a statement may give rows: not if it is said to give nothing, which a test holds against both databases.
macro_rules! gives_rows {
    () => {
        true
    };
    (()) => {
        false
    };
}

/// Names the statements of a file and lists them as its `STATEMENTS`; `NAME -> () = …` gives no rows, and `later!` takes no other.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident $(-> $nothing:tt)? = $texts:expr;)+) => {
        $(
            $(#[$doc])*
            pub(crate) const $name: crate::statement::Statement = crate::statement::Statement {
                name: stringify!($name),
                postgres: $texts.0,
                lite: $texts.1,
                gives_rows: gives_rows!($($nothing)?),
            };
        )+
        /// The statements of this file.
        pub(crate) const STATEMENTS: &[crate::statement::Statement] = &[$($name),+];
    };
}

/// Expands one typed call once a database: `$on` gives the pool or connection and judges what came of it.
macro_rules! call {
    ($on:expr, $constructor:ident, $verb:ident, $statement:expr, [$($bind:expr),*], $then:expr) => {{
        let statement = $statement;
        let patience = $on.patience();
        let outcome = match $on.executor()? {
            crate::statement::Either::Postgres(on) => {
                let answer = sqlx::$constructor(statement.postgres)$(.bind($bind))*.$verb(on);
                crate::postgres::answered(patience, answer).await.map($then)
            }
            crate::statement::Either::Lite(on) => {
                sqlx::$constructor(statement.lite)$(.bind($bind))*.$verb(on).await.map($then)
            }
        };
        $on.judge(outcome)?
    }};
}

/// Runs a statement and gives the number of rows that it changed.
macro_rules! execute {
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        call!($on, query, execute, $statement, [$($bind),*], |done| done.rows_affected())
    };
}

/// Runs a statement that gives no rows (with another one this does not compile) and whose answer nobody needs: now, or together with
/// the next one whose answer is needed, at the latest with the commit. What it fails with is said then.
macro_rules! later {
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {{
        const _: () = assert!(!$statement.gives_rows, "a statement with rows cannot wait: is its `-> ()` missing?");
        let statement = $statement;
        let patience = $on.patience();
        match $on.executor()? {
            crate::statement::Either::Postgres(on) => {
                let answer = sqlx::query(statement.postgres)$(.bind($bind))*.execute(on);
                let outcome = crate::postgres::answered(patience, answer).await;
                $on.judge(outcome)?;
            }
            crate::statement::Either::Lite(on) => on.waiting.push(statement.lite, vec![$($bind.into()),*]),
        }
    }};
}

/// Expands the typed call of two statements, one after the other; an embedded database's writer is asked for both at once.
macro_rules! call_both {
    ($on:expr, $constructor:ident, $verb:ident, ($first:expr, [$($bind:expr),*]), ($second:expr, [$($other:expr),*]), $then:expr, $read:expr) => {{
        let (first, second) = ($first, $second);
        let patience = $on.patience();
        let outcome = match $on.executor()? {
            crate::statement::Either::Postgres(on) => {
                let both = async {
                    let answer = sqlx::$constructor(first.postgres)$(.bind($bind))*.$verb(&mut *on);
                    let first = crate::postgres::answered(patience, answer).await.map($then)?;
                    let answer = sqlx::$constructor(second.postgres)$(.bind($other))*.$verb(&mut *on);
                    Ok((first, crate::postgres::answered(patience, answer).await.map($then)?))
                };
                both.await
            }
            crate::statement::Either::Lite(on) => {
                let first = (first.lite, vec![$($bind.into()),*]);
                on.both(first, sqlx::query(second.lite)$(.bind($other))*).await.and_then($read)
            }
        };
        $on.judge(outcome)?
    }};
}

/// Runs two statements and gives the numbers of rows that they changed.
macro_rules! execute_both {
    ($on:expr, ($first:expr $(, $bind:expr)*), ($second:expr $(, $other:expr)*)) => {
        call_both!(
            $on, query, execute, ($first, [$($bind),*]), ($second, [$($other),*]),
            |done| done.rows_affected(),
            |[first, second]| Ok((first.changed, second.changed))
        )
    };
}

/// Runs two statements each of which gives one row or none.
macro_rules! optional_both {
    ($on:expr, ($first:expr $(, $bind:expr)*), ($second:expr $(, $other:expr)*)) => {
        call_both!(
            $on, query_as, fetch_optional, ($first, [$($bind),*]), ($second, [$($other),*]),
            |row| row,
            |[first, second]| Ok((first.read()?, second.read()?))
        )
    };
}

/// Runs a statement that gives one row.
macro_rules! one {
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        call!($on, query_as, fetch_one, $statement, [$($bind),*], |row| row)
    };
}

/// Runs a statement that gives one row or none.
macro_rules! optional {
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        call!($on, query_as, fetch_optional, $statement, [$($bind),*], |row| row)
    };
}

/// Runs a statement and gives all its rows.
macro_rules! all {
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        call!($on, query_as, fetch_all, $statement, [$($bind),*], |rows| rows)
    };
}
