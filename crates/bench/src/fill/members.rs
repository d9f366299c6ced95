//! A thousand projects with a thousand members each.

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::{columns, copies, name, write};
use crate::client::rest;
use crate::lab::{Lab, Started, Transport};

/// The name of the added project of that number, counted from 0.
pub(crate) fn project(number: u64) -> String {
    name("p", number)
}

/// The name of the added user of that number, counted from 0.
pub(crate) fn user(number: u64) -> String {
    name("u", number)
}

/// A running Berth with so many private projects and as many users, each of them a developer in each project.
pub(crate) fn busy_berth(lab: &Lab, many: u64) -> anyhow::Result<Started> {
    let room = lab.room()?;
    let running = lab.start_in(&lab.berth, &room, Transport::Plain)?;
    rest::make_user(&running, "somebody")?;
    drop(running);
    write(&room, async |connection| fill(connection, i64::try_from(many)?).await)?;
    lab.start_over(&lab.berth, room, Transport::Plain)
}

async fn fill(connection: &mut SqliteConnection, many: i64) -> anyhow::Result<()> {
    let projects = copies(connection, "projects").await?;
    sqlx::query(AssertSqlSafe(projects)).bind(many).bind("p").execute(&mut *connection).await?;
    sqlx::query("UPDATE projects SET public = 0 WHERE name LIKE 'p%'").execute(&mut *connection).await?;
    let columns = columns(connection, "users", &["id", "username", "email"]).await?;
    let users = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1)
         INSERT INTO users (username, email, {columns})
         SELECT 'u' || printf('%07d', n), '', {columns}
         FROM (SELECT * FROM users WHERE username = 'somebody') CROSS JOIN numbers"
    );
    sqlx::query(AssertSqlSafe(users)).bind(many).execute(&mut *connection).await?;
    let members = "
        INSERT INTO project_members (project_id, entity_type, entity_id, role_id, created_at, updated_at)
        SELECT projects.id, 'u', users.id, 2, 0, 0 FROM projects CROSS JOIN users
        WHERE projects.name LIKE 'p%' AND users.username LIKE 'u%'";
    sqlx::query(members).execute(connection).await?;
    Ok(())
}
