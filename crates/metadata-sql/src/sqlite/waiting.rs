//! Statements whose answers nobody needs. They wait here and go to the connection's thread together with the next statement that is
//! asked for an answer, because the way there and back costs more than most statements do.
//!
//! Several statements are one text whose parameters have the numbers `$1`, `$2`, … throughout, so those of the statements that waited
//! are numbered behind those of the last one.

use std::fmt::Write as _;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo};
use sqlx::{
    Arguments as _, AssertSqlSafe, Describe, Either, Error, Execute, Executor, FromRow, SqlSafeStr as _,
    SqlStr, Sqlite, SqliteConnection,
};

/// What waits, in order; no statement of them gives rows.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Vec<(&'static str, Vec<Value>)>);

/// A parameter that waits.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A connection with what waits for it: whatever is asked of it goes there behind that.
#[derive(Debug)]
pub(crate) struct Along<'c> {
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) waiting: &'c mut Waiting,
}

/// What came of a statement.
#[derive(Default)]
pub(crate) struct Answer {
    /// Its first row.
    row: Option<SqliteRow>,
    /// How many rows it changed.
    pub(crate) changed: u64,
}

impl Answer {
    /// The row, if there is one.
    pub(crate) fn read<R: for<'r> FromRow<'r, SqliteRow>>(&self) -> sqlx::Result<Option<R>> {
        self.row.as_ref().map(R::from_row).transpose()
    }
}

/// Several statements as one.
struct Joined {
    text: SqlStr,
    arguments: SqliteArguments,
    /// How many come before the one whose answer is asked for.
    before: usize,
}

impl Waiting {
    pub(crate) fn push(&mut self, text: &'static str, values: Vec<Value>) {
        self.0.push((text, values));
    }

    /// Whether nothing was sent since that statement began to wait.
    pub(crate) fn begins_with(&self, text: &str) -> bool {
        self.0.first().is_some_and(|(first, _)| *first == text)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes all that waits and puts it before `last`.
    fn before<'q>(&mut self, mut last: impl Execute<'q, Sqlite>) -> sqlx::Result<Joined> {
        let mut arguments = last.take_arguments().map_err(Error::Encode)?.unwrap_or_default();
        let last = last.sql();
        let before = self.0.len();
        if before == 0 {
            return Ok(Joined { text: last, arguments, before });
        }
        let mut text = String::new();
        for (statement, values) in self.0.drain(..) {
            renumber(&mut text, statement, arguments.len());
            text.push_str(";\n");
            for value in values {
                value.add_to(&mut arguments).map_err(Error::Encode)?;
            }
        }
        text.push_str(last.as_str());
        // Put together of texts that stand in the program.
        Ok(Joined { text: AssertSqlSafe(text).into_sql_str(), arguments, before })
    }
}

impl Value {
    fn add_to(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Null => arguments.add(None::<i64>),
            Self::Number(number) => arguments.add(number),
            Self::Text(text) => arguments.add(text),
            Self::Bytes(bytes) => arguments.add(bytes),
        }
    }
}

/// Writes the statement with `by` more for the number of each parameter.
fn renumber(out: &mut String, statement: &str, by: usize) {
    let mut pieces = statement.split('$');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.len() - piece.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, rest) = piece.split_at(digits);
        // Writing to a String cannot fail, and after each `$` of a statement comes a number.
        let _ = write!(out, "${}{rest}", number.parse::<usize>().unwrap_or_default() + by);
    }
}

impl Along<'_> {
    /// Sends what waits.
    pub(crate) async fn send(self) -> sqlx::Result<()> {
        if self.waiting.is_empty() { Ok(()) } else { self.execute("").await.map(drop) }
    }

    /// Sends what waits, behind it `first`, which may give rows here, and `second`: what came of these two.
    pub(crate) async fn both(
        self,
        first: (&'static str, Vec<Value>),
        second: impl Execute<'_, Sqlite>,
    ) -> sqlx::Result<[Answer; 2]> {
        let Self { connection, waiting } = self;
        waiting.push(first.0, first.1);
        let Joined { text, arguments, before } = waiting.before(second)?;
        let mut answers = connection.fetch_many((text, Some(arguments)));
        let mut both: [Answer; 2] = Default::default();
        let mut done = 0;
        while done <= before
            && let Some(answer) = answers.try_next().await?
        {
            let of = (done + 1).checked_sub(before).and_then(|place| both.get_mut(place));
            match (answer, of) {
                (Either::Left(ended), of) => {
                    done += 1;
                    if let Some(of) = of {
                        of.changed = ended.rows_affected();
                    }
                }
                (Either::Right(row), Some(of)) => of.row = of.row.take().or(Some(row)),
                (Either::Right(_), None) => {}
            }
        }
        Ok(both)
    }
}

impl<'c> Executor<'c> for Along<'c> {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<SqliteQueryResult, SqliteRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let Self { connection, waiting } = self;
        // Whoever never begins to wait for an answer has sent nothing.
        let answers = async move {
            let Joined { text, arguments, before } = waiting.before(query)?;
            Ok::<_, Error>(last_of(connection.fetch_many((text, Some(arguments))), before))
        };
        stream::once(answers).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<SqliteRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let Self { connection, waiting } = self;
        Box::pin(async move {
            let Joined { text, arguments, .. } = waiting.before(query)?;
            connection.fetch_optional((text, Some(arguments))).await
        })
    }

    fn prepare_with<'e>(
        self,
        text: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<SqliteStatement>>
    where
        'c: 'e,
    {
        self.connection.prepare_with(text, parameters)
    }

    // Part of the trait because the library's `macros` are asked for.
    fn describe<'e>(self, text: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Sqlite>>>
    where
        'c: 'e,
    {
        self.connection.describe(text)
    }
}

/// The answers without those of the first `before` statements, and over with the next one's.
fn last_of<'e>(
    answers: BoxStream<'e, sqlx::Result<Either<SqliteQueryResult, SqliteRow>>>,
    before: usize,
) -> BoxStream<'e, sqlx::Result<Either<SqliteQueryResult, SqliteRow>>> {
    let next = |state: Option<(BoxStream<'e, _>, usize)>| async move {
        let Some((mut answers, mut before)) = state else { return Ok::<_, Error>(None) };
        loop {
            match answers.try_next().await? {
                Some(Either::Left(_)) if before > 0 => before -= 1,
                // Nothing comes behind it: that the thread says so too need not be waited for.
                Some(done @ Either::Left(_)) => return Ok(Some((done, None))),
                Some(row) => return Ok(Some((row, Some((answers, before))))),
                None => return Ok(None),
            }
        }
    };
    stream::try_unfold(Some((answers, before)), next).boxed()
}

macro_rules! from {
    ($($type:ty => |$value:ident| $to:expr),+ $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $to
            }
        })+
    };
}

from!(
    i64 => |number| Self::Number(number),
    i16 => |number| Self::Number(i64::from(number)),
    bool => |truth| Self::Number(i64::from(truth)),
    &str => |text| Self::Text(text.to_owned()),
    &String => |text| Self::Text(text.clone()),
    String => |text| Self::Text(text),
    &[u8] => |bytes| Self::Bytes(bytes.to_owned()),
    &Vec<u8> => |bytes| Self::Bytes(bytes.clone()),
    Vec<u8> => |bytes| Self::Bytes(bytes),
);

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_behind_the_last_statements() {
        let renumbered = |statement: &str, by| {
            let mut text = String::new();
            renumber(&mut text, statement, by);
            text
        };
        let insert = "INSERT INTO a (b) VALUES ($1, $12) ON CONFLICT DO NOTHING";
        assert_eq!(renumbered(insert, 7), "INSERT INTO a (b) VALUES ($8, $19) ON CONFLICT DO NOTHING");
        for statement in crate::statement::all() {
            assert_eq!(renumbered(statement.lite, 0), statement.lite, "{}", statement.name);
        }
    }
}
