//! Plans over millions of rows, with statistics: what the plans of an empty database promise holds for a large one. Filling takes
//! minutes, so these run in `cargo xtask test --soak` only.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

use super::statements::{HOT, assert_searched, embedded, lite_plan, migrated, plan};
use crate::{sqlite, statement};

/// The repository of the hot statements' parameters, which has most tags and manifests.
const LARGE: u32 = 7;

/// What is put into which table: `g` counts up to `$n`, `$digest` is the digest that belongs to it. As many rows as a large installation
/// has in the tables that grow without bound; half of what a repository has is in one.
const ROWS: &[(&str, u32, &str, &str)] = &[
    (
        "projects",
        10_000,
        "name, public, created_at, by_kind, by_id, by_name",
        "'p' || g, g % 2 = 0, g, 'system', 0, ''",
    ),
    (
        "repositories",
        1_000_000,
        "project_id, name, created_at, by_kind, by_id, by_name, filled",
        "g % 10000 + 1, 'p' || (g % 10000) || '/r' || g, g, 'system', 0, '', g % 8 <> 0",
    ),
    (
        "blobs",
        1_000_000,
        "digest, size, state, created_at, state_at, location",
        "$digest, g, 0, g, g, 'file:' || g",
    ),
    (
        "blob_links",
        1_000_000,
        "digest, repository_id, linked_at, by_kind, by_id, by_name",
        "$digest, CASE WHEN g % 2 = 0 THEN $large ELSE g END, g, 'system', 0, ''",
    ),
    ("project_blobs", 1_000_000, "digest, project_id, size, links", "$digest, g % 10000 + 1, g, 1"),
    (
        "manifests",
        1_000_000,
        "repository_id, digest, media_type, subject, size, pushed_at, by_kind, by_id, by_name, content",
        "CASE WHEN g % 2 = 0 THEN $large ELSE g END, $digest, 'application/x', CASE WHEN g % 20 = 0 THEN $subject END, 5, g, 'system', 0, '', $digest",
    ),
    (
        "manifest_references",
        2_000_000,
        "repository_id, manifest_id, position, role, target, size",
        "CASE WHEN g % 2 = 0 THEN $large ELSE g END, g, 0, g % 2, $digest, 5",
    ),
    (
        "tags",
        1_000_000,
        "repository_id, name, digest, pushed_at, by_kind, by_id, by_name",
        "CASE WHEN g % 2 = 0 THEN $large ELSE g END, 'v' || g, $digest, g, 'system', 0, ''",
    ),
    (
        "tag_history",
        1_000_000,
        "repository_id, tag, line, to_digest, changed_at, by_kind, by_id, by_name",
        "CASE WHEN g % 2 = 0 THEN $large ELSE g END, 'v' || g, 1, $digest, g, 'system', 0, ''",
    ),
    ("review_queue", 1_000_000, "digest, repository_id, review_after", "$digest, 0, g"),
    (
        "upload_sessions",
        200_000,
        "id, repository_id, owner_kind, owner_id, owner_name, algorithm, location, durable, tail, storage_state, hash_state, epoch, suspect, cancelled, started_at, expires_at",
        "$digest, 1, 'system', 0, '', 'sha256', 'file:' || g, 0, $digest, $digest, $digest, 0, $false, $false, g, g",
    ),
];

/// More of what runs often and would be slow over many rows, with parameters to plan it by.
const OFTEN: &[(&str, &str)] = &[
    ("CATALOG", "'p5/', 100"),
    ("CATALOG_OF_PROJECTS", "'[3, 5]', 'p', 100"),
    ("LOCK_LINKS", "7, '[\"01aa\"]'"),
    ("LINKS", "7, '[\"01aa\"]'"),
    ("LINKED_SIZES", "7, '[\"01aa\"]'"),
    ("LOCK_MANIFESTS", "7, '[\"01aa\"]'"),
    ("MANIFEST_SIZES", "7, '[\"01aa\"]'"),
    ("KNOWN_BLOB", "'\\x01aa'"),
    ("REFERENCES", "7, 5"),
    ("REFERRERS_OF", "7, '\\x01aa'"),
    ("HEAL_MANIFEST", "7, '\\x01aa', '\\x00', 5"),
    ("DELETE_MANIFEST", "7, '\\x01aa', 5, '\\x00'"),
    ("UNLINK_BLOB", "7, '\\x01aa', 5, '\\x00'"),
    ("BLOBS", "'\\x01aa', 500"),
    ("UPLOADS", "'\\x00', 500"),
    ("EXPIRED_UPLOADS", "5, 100"),
    ("MANIFESTS", "7, '\\x01aa', 500"),
    ("TAG_TARGETS", "7, 'latest', 500"),
    ("LINK_TARGETS", "'\\x01aa', 7, 500"),
];

/// Lists that are continued by key: their first rows come out of an index in order, however many there are.
const LISTS: &[&str] = &[
    "TAGS",
    "REFERRERS",
    "CATALOG",
    "BLOB_HOLDERS",
    "BLOBS",
    "UPLOADS",
    "EXPIRED_UPLOADS",
    "MANIFESTS",
    "TAG_TARGETS",
    "LINK_TARGETS",
];

/// How one database counts and writes values.
struct Dialect {
    series: fn(u32) -> String,
    digest: &'static str,
    /// The subject in the hot statements' parameters.
    subject: &'static str,
    falsehood: &'static str,
}

const POSTGRES: Dialect = Dialect {
    series: |rows| format!("generate_series(1, {rows}) AS s(g)"),
    // Spread like hashes, and different for each number.
    digest: "decode('01' || lpad(to_hex((CAST(g AS BIGINT) * 2654435761) % 4294967296), 8, '0') || lpad(to_hex(g), 56, '0'), 'hex')",
    subject: "decode('01aa', 'hex')",
    falsehood: "FALSE",
};

const LITE: Dialect = Dialect {
    series: |rows| {
        format!(
            "(WITH RECURSIVE s(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < {rows}) SELECT g FROM s)"
        )
    },
    digest: "unhex(printf('01%08x%056x', (g * 2654435761) % 4294967296, g))",
    subject: "unhex('01aa')",
    falsehood: "0",
};

fn fill(dialect: &Dialect) -> impl Iterator<Item = String> {
    ROWS.iter().map(|(table, rows, columns, values)| {
        let values = values
            .replace("$large", &LARGE.to_string())
            .replace("$digest", dialect.digest)
            .replace("$subject", dialect.subject)
            .replace("$false", dialect.falsehood);
        format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {}", (dialect.series)(*rows))
    })
}

#[tokio::test]
#[ignore = "fills a database with millions of rows: cargo xtask test --soak"]
async fn postgres_finds_its_way_among_millions() {
    let mut connection = migrated().await;
    for insert in fill(&POSTGRES) {
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
    // A prepared statement is planned for its parameters at first, and for any after a while.
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let set = format!("SET plan_cache_mode = {mode}; DEALLOCATE ALL");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut connection).await.unwrap();
        for (name, parameters) in HOT.iter().chain(OFTEN) {
            let text = statement::all().find(|statement| statement.name == *name).unwrap().postgres;
            assert_plan(&mut connection, mode, name, text, parameters).await;
        }
    }
    connection.close().await.unwrap();
}

async fn assert_plan(connection: &mut PgConnection, mode: &str, name: &str, text: &str, parameters: &str) {
    let plan = plan(connection, name, text, parameters).await;
    let large = |line: &&str| ROWS.iter().any(|(table, ..)| line.contains(&format!("Seq Scan on {table}")));
    assert_eq!(plan.lines().find(large), None, "{mode}, {name}: {plan}");
    let sorts =
        plan.lines().any(|line| line.trim_start().trim_start_matches("-> ").trim_start().starts_with("Sort"));
    assert!(!sorts || !LISTS.contains(&name), "{mode}, {name}: {plan}");
    if !HOT.iter().any(|(hot, _)| *hot == name) {
        return;
    }
    // A plan for any parameters names all partitions and takes one when it runs.
    let mut partitions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (table, partition) in plan.split_whitespace().filter_map(|word| word.rsplit_once("_p")) {
        if partition.parse::<u8>().is_ok() {
            partitions.entry(table).or_default().insert(partition);
        }
    }
    assert!(partitions.values().all(|touched| touched.len() == 1), "{mode}, {name}: {plan}");
}

#[tokio::test]
#[ignore = "fills a database with millions of rows: cargo xtask test --soak"]
async fn sqlite_finds_its_way_among_millions() {
    let directory = TempDir::new().unwrap();
    let mut connection = embedded(&directory).await;
    for insert in fill(&LITE) {
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
    }
    // With statistics and, as in operation, without.
    for statistics in ["ANALYZE", "DROP TABLE sqlite_stat1"] {
        sqlx::raw_sql(statistics).execute(&mut connection).await.unwrap();
        // Statistics are read when a connection begins.
        let mut connection = sqlite::writer(&directory.path().join("berth.db")).connect().await.unwrap();
        for statement in statement::all() {
            let plan = lite_plan(&mut connection, statement.lite).await;
            assert_searched(statement.name, &plan);
            let sorts = plan.iter().any(|step| step.contains("USE TEMP B-TREE FOR ORDER BY"));
            assert!(!sorts || !LISTS.contains(&statement.name), "{statistics}, {}: {plan:?}", statement.name);
        }
    }
}
