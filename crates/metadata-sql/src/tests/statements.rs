//! The list of statements: each one is prepared on both databases, and the hot ones touch one partition.

use std::collections::{BTreeMap, BTreeSet};

use berth_metadata::Metadata as _;
use berth_testkit::Postgres;
use sqlx::SqliteConnection;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _,
    SqlSafeStr as _, Statement as _,
};
use tempfile::TempDir;

use super::millions::{LISTS, OFTEN, WHOLE};
use crate::statement::{self, Statement};
use crate::{SqlMetadata, sqlite};

/// What runs for every pull and push, with parameters to plan it by.
pub(super) const HOT: &[(&str, &str)] = &[
    ("REPOSITORY", "'library/x'"),
    ("HOLD_REPOSITORY", "'library/x'"),
    ("TAG", "7, 'latest'"),
    ("TAGS", "7, 'a', 100"),
    ("LOCK_TAG", "7, 'latest'"),
    ("MANIFEST_BY_DIGEST", "7, '\\x01aa', 65536"),
    ("MANIFEST_BY_TAG", "7, 'latest', 65536"),
    ("LOCK_MANIFEST", "7, '\\x01aa', '\\x00'"),
    ("HAS_MANIFEST", "7"),
    ("REFERRERS", "7, '\\x01aa', 0, NULL, 100"),
    ("BLOB", "7, '\\x01aa'"),
    ("BLOB_HOLDERS", "'\\x01aa', 1"),
    ("LOCK_BLOB", "'\\x01aa'"),
    ("LOCK_BAD_BLOB", "'\\x01aa', '\\x00'"),
    ("LOCK_LINK", "7, '\\x01aa'"),
    ("BLOB_USERS", "7, '\\x01aa', 1"),
    ("LOCK_UPLOAD", "'\\x00'"),
];

/// How SQLite must find the rows of statements for which it has a slower way too, which only statistics would tell it.
const SEARCHES: &[(&str, &str)] = &[
    ("TAGS", "tags_name (repository_id=? AND name>?)"),
    ("TAG_TARGETS", "tags_name ((repository_id,name)>(?,?))"),
    ("TAG_TARGETS", "manifests_digest (repository_id=? AND digest=?)"),
    ("LINK_TARGETS", "PRIMARY KEY ((digest,repository_id)>(?,?))"),
    ("PROJECT_BLOBS", "PRIMARY KEY ((digest,project_id)>(?,?))"),
    ("REPOSITORY_SUMS", "manifests_digest (repository_id=?)"),
    ("REPOSITORY_SUMS", "PRIMARY KEY (repository_id=?)"),
    ("SUMS_OF_REPOSITORY", "manifests_digest (repository_id=?)"),
    ("SUMS_OF_PROJECT_BLOB", "PRIMARY KEY (digest=?"),
    ("BYTES_OF_PROJECT", "PRIMARY KEY (digest=? AND project_id=?)"),
    ("BYTES_OF_PROJECT", "blob_links_repository (repository_id=?)"),
    ("LOCK_TAGS_ON", "tags_digest (repository_id=? AND digest=?)"),
    ("DELETE_TAGS_ON", "tags_digest (repository_id=? AND digest=?)"),
    ("MANIFEST_BY_TAG", "manifests_digest (repository_id=? AND digest=?)"),
    ("LOCK_MANIFEST", "manifests_digest (repository_id=? AND digest=?)"),
    ("HEAL_MANIFEST", "manifests_digest (repository_id=? AND digest=?)"),
    ("MANIFESTS", "manifests_digest ((repository_id,digest)>(?,?))"),
    ("LOCK_MANIFESTS", "manifests_digest (repository_id=? AND digest=?)"),
    ("MANIFEST_SIZES", "manifests_digest (repository_id=? AND digest=?)"),
    ("REFERRERS", "manifests_subject (repository_id=? AND subject=? AND id>?)"),
    ("REFERRERS_OF", "manifests_subject (repository_id=? AND subject=?)"),
    ("REFERENCES", "PRIMARY KEY (repository_id=? AND manifest_id=?)"),
    ("BLOB_USERS", "manifest_references_target (repository_id=? AND target=?"),
    ("BLOB_HOLDERS", "PRIMARY KEY (digest=?)"),
    ("CATALOG", "repositories_filled (name>?)"),
    ("CATALOG_OF_PROJECTS", "repositories_filled_project (project_id=? AND name>?)"),
    ("EXPIRED_UPLOADS", "upload_sessions_expiry (expires_at>? AND expires_at<?)"),
    ("REVIEWS", "review_queue_due (review_after<?)"),
    ("PRUNE_OLD", "tag_history_changed (changed_at<?)"),
    ("ADD_TAG", "PRIMARY KEY (repository_id=? AND tag=?)"),
    ("MOVE_TAG", "PRIMARY KEY (repository_id=? AND tag=?)"),
    ("DELETE_TAG", "PRIMARY KEY (repository_id=? AND tag=?)"),
    ("CUT_HISTORY", "PRIMARY KEY (repository_id=? AND tag=? AND line<?)"),
    ("HAS_MANIFEST", "manifests_digest (repository_id=?)"),
    ("RESTORE_MANIFESTS", "manifests_deletion (deletion_id=?)"),
    ("RESTORE_TAGS", "tags_deletion (deletion_id=?)"),
    ("LOCK_PROJECT_FOR_RESTORATION", "repositories_deletion (deletion_id=?)"),
    ("LINKS_TO_RESTORE", "blob_links_deletion (deletion_id=?)"),
    ("ROLES_OF", "project_members_entity (entity_type=? AND entity_id=? AND project_id=?)"),
    ("PROJECTS_OF", "project_members_entity (entity_type=? AND entity_id=?)"),
    ("USER_STANDING", "project_members_entity (entity_type=? AND entity_id=? AND project_id=?)"),
    ("USER_STANDING", "projects_name (name=?)"),
    ("MEMBERS", "project_members_project (project_id=?)"),
    ("PROJECT_ROBOT", "robots_name (project_id=? AND name=?)"),
    ("SYSTEM_ROBOT", "robots_name (project_id=? AND name=?)"),
    ("ROBOTS", "robots_name (project_id=?)"),
    ("LOCK_SYSADMINS", "users_sysadmin"),
    ("FIRST_SYSADMIN", "users_sysadmin"),
    ("FIND", "repositories_filled (name>?)"),
    ("PROJECTS_NAMED", "projects_name (name=?)"),
    ("ANY_FILLED_REPOSITORY", "repositories_filled_project (project_id=?)"),
    ("LOCK_REPOSITORIES", "repositories_project (project_id=?)"),
    ("PAGES", "repositories_filled_project (project_id=?)"),
    ("PAGE", "repositories_filled_project (project_id=?)"),
    ("PRUNE_SESSIONS", "sessions_expiry (expires_at<?)"),
    ("PRUNE_REFRESH_TOKENS", "refresh_tokens_use (last_used_at<?)"),
];

/// What reads a small table as a whole, or the few rows of a subquery: lists that administrators see, roles, keys.
const SMALL: &[&str] = &[
    "USERS",
    "COUNT_USERS",
    "LOCK_SYSADMINS",
    "FIRST_SYSADMIN",
    "GROUPS",
    "COUNT_GROUPS",
    "ROLES",
    "USER_STANDING",
    "SIGNING_KEYS",
    "SEALED_SECRETS",
    "PAGE",
    "PAGES",
    "COUNT_PROJECTS",
    "PUBLIC_PROJECTS",
];

/// A connection to a new file with the schema.
pub(super) async fn embedded(directory: &TempDir) -> SqliteConnection {
    let path = directory.path().join("berth.db");
    SqlMetadata::open_sqlite(&path).await.unwrap();
    sqlite::writer(&path).connect().await.unwrap()
}

#[tokio::test]
async fn sqlite_searches_and_never_scans() {
    let directory = TempDir::new().unwrap();
    let mut connection = embedded(&directory).await;
    for statement in statement::all() {
        assert_searched(statement.name, &lite_plan(&mut connection, statement.lite).await);
    }
}

/// The steps of SQLite's plan.
pub(super) async fn lite_plan(connection: &mut SqliteConnection, text: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(connection).await.unwrap();
    plan.into_iter().map(|(.., step)| step).collect()
}

/// Asserts that the plan reads no table as a whole, and finds its rows as it must.
pub(super) fn assert_searched(name: &str, plan: &[String]) {
    // A batch is a table too.
    let scans = |step: &String| {
        step.starts_with("SCAN")
            && !SMALL.contains(&name)
            && !step.contains("VIRTUAL TABLE")
            && !step.contains("CONSTANT")
    };
    assert!(!plan.iter().any(scans), "{name}: {plan:?}");
    for (_, way) in SEARCHES.iter().filter(|(searched, _)| *searched == name) {
        assert!(plan.iter().any(|step| step.contains(way)), "{name}: {plan:?}");
    }
}

#[tokio::test]
async fn sqlite_prepares_every_statement() {
    let directory = TempDir::new().unwrap();
    let mut connection = embedded(&directory).await;
    for statement in statement::all() {
        let prepared = connection.prepare(statement.lite.into_sql_str()).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error:?}", statement.name));
        assert!(statement.gives_rows || prepared.columns().is_empty(), "{} gives rows", statement.name);
    }
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    let mut connection = migrated().await;
    for statement in statement::all() {
        let prepared = connection.prepare(statement.postgres.into_sql_str()).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error:?}", statement.name));
        assert!(statement.gives_rows || prepared.columns().is_empty(), "{} gives rows", statement.name);
    }
}

#[test]
fn what_is_said_of_statements_is_said_of_some() {
    let known: BTreeSet<_> = statement::all().map(|statement| statement.name).collect();
    let said = HOT.iter().chain(SEARCHES).map(|(name, _)| name).chain(SMALL);
    for name in said.chain(OFTEN.iter().map(|(name, _)| name)).chain(LISTS).chain(WHOLE) {
        assert!(known.contains(name), "there is no statement {name}");
    }
}

#[tokio::test]
async fn names_are_unique() {
    let mut seen = BTreeSet::new();
    for statement in statement::all() {
        assert!(seen.insert(statement.name), "{} stands twice in the list", statement.name);
    }
}

#[tokio::test]
async fn hot_statements_touch_one_partition_of_a_table() {
    let mut connection = migrated().await;
    for (name, parameters) in HOT {
        let statement = statement::all().find(|statement| statement.name == *name).unwrap();
        let plan = plan(&mut connection, statement, Some(parameters), Planned::First).await;
        let partitions = partitions(&plan);
        assert!(partitions.values().all(|touched| touched.len() == 1), "{name}: {plan}");
        assert!(
            name.contains("REPOSITORY") || name.contains("UPLOAD") || !partitions.is_empty(),
            "{name}: {plan}"
        );
    }
}

/// A connection to a database with the schema.
pub(super) async fn migrated() -> PgConnection {
    let url = Postgres::shared().new_database();
    SqlMetadata::open_postgres(&url, 1).await.unwrap().close().await;
    PgConnection::connect(&url).await.unwrap()
}

/// The partitions of each table that a plan reads.
pub(super) fn partitions(plan: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut partitions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (table, partition) in plan.split_whitespace().filter_map(|word| word.rsplit_once("_p")) {
        if partition.parse::<u8>().is_ok() {
            partitions.entry(table).or_default().insert(partition);
        }
    }
    partitions
}

/// For what a prepared statement is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planned {
    /// For its parameters, as it is when it is executed for the first time.
    First,
    /// For what PostgreSQL has settled on when it is executed for the seventh time.
    Seventh,
    /// For any parameters, which it may settle on after having seen others.
    Any,
}

/// PostgreSQL's plan of a prepared statement: with these parameters and the pages that it read, or only planned for some of their types.
pub(super) async fn plan(
    connection: &mut PgConnection,
    statement: &Statement,
    parameters: Option<&str>,
    planned: Planned,
) -> String {
    // Quoted, because names of statements may be words of the language.
    let name = statement.name;
    let mode = if planned == Planned::Any { "force_generic_plan" } else { "auto" };
    let prepare =
        format!("SET plan_cache_mode = {mode}; DEALLOCATE ALL; PREPARE \"{name}\" AS {}", statement.postgres);
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
    let (options, parameters) = match parameters {
        Some(parameters) => ("ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, COSTS OFF", parameters.to_owned()),
        None => ("COSTS OFF", some_parameters(connection, name).await),
    };
    let list = if parameters.is_empty() { String::new() } else { format!("({parameters})") };
    let explain = format!("BEGIN; EXPLAIN ({options}) EXECUTE \"{name}\" {list}; ROLLBACK");
    let mut plan = Vec::new();
    let executions = if planned == Planned::Seventh { 7 } else { 1 };
    for _ in 0..executions {
        let rows = sqlx::raw_sql(AssertSqlSafe(explain.clone())).fetch_all(&mut *connection).await.unwrap();
        plan = rows.iter().map(|row| row.get::<String, _>(0)).collect();
    }
    plan.join("\n")
}

/// Parameters of the types that the prepared statement takes; a text is also JSON.
async fn some_parameters(connection: &mut PgConnection, name: &str) -> String {
    let types =
        format!("SELECT CAST(parameter_types AS TEXT) FROM pg_prepared_statements WHERE name = '{name}'");
    let types = sqlx::raw_sql(AssertSqlSafe(types)).fetch_one(connection).await.unwrap();
    let types = types.get::<String, _>(0);
    let types = types.trim_matches(['{', '}']).split(',').filter(|kind| !kind.is_empty());
    let value = |kind| match kind {
        "bigint" | "smallint" => "9",
        "bytea" => "'\\x01aa'",
        "text" | "json" => "'[]'",
        "boolean" => "TRUE",
        other => panic!("{name} takes a {other}"),
    };
    types.map(value).collect::<Vec<_>>().join(", ")
}
