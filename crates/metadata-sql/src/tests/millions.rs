//! Plans over millions of rows, with statistics: what the plans of an empty database promise holds for a large one. Filling takes
//! minutes, so most of these run in `cargo xtask test --soak` only.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

use super::statements::{HOT, Planned, assert_searched, embedded, lite_plan, migrated, partitions, plan};
use crate::{sqlite, statement};

/// The repository of the hot statements' parameters, which has half of all tags and manifests, and the project with half of all
/// repositories.
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
        "CASE WHEN g % 2 = 0 THEN $large ELSE g % 10000 + 1 END, 'p' || (g % 10000) || '/r' || g, g, 'system', 0, '', g % 8 <> 0",
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
    (
        "project_blobs",
        1_000_000,
        "digest, project_id, size, links",
        "$digest, CASE WHEN g % 2 = 0 THEN $large ELSE g % 10000 + 1 END, g, 1",
    ),
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
    ("deletions", 200_000, "id, deleted_at, by_kind, by_id, by_name", "$digest, g, 'system', 0, ''"),
    (
        "manifest_pulls",
        1_000_000,
        "repository_id, manifest_id, pull_count, pulled_at",
        "CASE WHEN g % 2 = 0 THEN $large ELSE g END, g, 1, g",
    ),
    ("counters", 1_000_000, "kind, owner_id, slot, amount", "g % 4 + 1, g / 4, 0, 1"),
    ("project_metadata", 50_000, "project_id, name, value", "g / 5, 'k' || (g % 5), 'v'"),
    (
        "users",
        100_000,
        "username, email, realname, comment, sysadmin, valid_after, created_at, updated_at",
        "'u' || g, '', '', '', $false, 0, g, g",
    ),
    (
        "user_groups",
        10_000,
        "name, group_type, ldap_group_dn, created_at, updated_at",
        "'g' || g, 2, '', g, g",
    ),
    ("user_group_members", 200_000, "user_id, group_id", "g / 2, g % 10000"),
    (
        "project_members",
        1_000_000,
        "project_id, entity_type, entity_id, role_id, created_at, updated_at",
        "g % 1000 + 1, CASE WHEN g % 5 = 0 THEN 'g' ELSE 'u' END, g / 10, g % 5 + 1, g, g",
    ),
    (
        "robots",
        100_000,
        "name, project_id, description, disabled, secret, valid_after, by_kind, by_id, by_name, created_at, updated_at",
        "'r' || g, g % 1000, '', $false, '', 0, 'system', 0, '', g, g",
    ),
    ("robot_permissions", 500_000, "robot_id, scope, resource, action", "g / 5, 0, 'repository', 'a' || g"),
    ("sessions", 200_000, "id_hash, user_id, created_at, expires_at", "$digest, g % 100000, g, g"),
    (
        "refresh_tokens",
        200_000,
        "hash, user_id, service, client_id, issued_at, last_used_at",
        "$digest, g % 100000, '', '', g, g",
    ),
    (
        "upload_sessions",
        200_000,
        "id, repository_id, owner_kind, owner_id, owner_name, algorithm, location, durable, tail, storage_state, hash_state, epoch, suspect, cancelled, started_at, expires_at",
        "$digest, 1, 'system', 0, '', 'sha256', 'file:' || g, 0, $digest, $digest, $digest, 0, $false, $false, g, g",
    ),
];

/// More of what runs often and would be slow over many rows, with parameters to plan it by; `$late` is nine tenths of a million rows,
/// or of as many as there are.
pub(super) const OFTEN: &[(&str, &str)] = &[
    ("CATALOG", "'p5/', 100"),
    ("CATALOG_OF_PROJECTS", "'[3, 5]', 'p', 100"),
    ("LOCK_LINKS", "7, '[\"01aa\", \"01ab\"]'"),
    ("LOCK_MANIFESTS", "7, '[\"01aa\", \"01ab\"]'"),
    ("PULLED_MANIFESTS", "'[[7, \"01aa\"], [9, \"01ab\"]]'"),
    ("LINKED_SIZES", "7, '[\"01aa\", \"01ab\"]'"),
    ("HAD_SINCE", "7, '\\x01aa', '[\"01aa\", \"01ab\"]'"),
    ("MANIFEST_SIZES", "7, '[\"01aa\", \"01ab\"]'"),
    ("KNOWN_BLOB", "'\\x01aa'"),
    ("REFERENCES", "7, 5"),
    ("HEAL_MANIFEST", "7, '\\x01aa', '\\x00', 5"),
    ("DELETE_MANIFEST", "7, '\\x01aa', 5, '\\x00'"),
    ("COUNT_BYTES", "'[[\"01aa\", 7, 5, 1]]', 0"),
    ("UNLINK_BLOB", "7, '\\x01aa', 5, '\\x00'"),
    ("LOCK_TAGS_ON", "7, '\\x01aa'"),
    ("DELETE_TAGS_ON", "7, '\\x01aa', 5, '\\x00'"),
    ("ANY_FILLED_REPOSITORY", "7"),
    ("LOCK_REPOSITORIES", "6"),
    ("DELETION", "'\\x01aa'"),
    ("LOCK_PROJECT_FOR_RESTORATION", "'\\x01aa', 'p5/r7'"),
    ("RESTORE_MANIFESTS", "'\\x01aa', 7"),
    ("RESTORE_TAGS", "'\\x01aa', 7"),
    ("LINKS_TO_RESTORE", "'\\x01aa', 7"),
    ("LINKS_TO_FOLLOW", "7, 5"),
    ("BLOBS", "'\\x01aa', 100"),
    ("STORED_BLOBS", "'\\x01aa', 100"),
    ("UPLOADS", "'\\x00', 100"),
    ("EXPIRED_UPLOADS", "150000, 500, '\\x01aa', 100"),
    ("MANIFESTS", "$late, '\\x01aa', 100"),
    ("TAG_TARGETS", "$late, 'latest', 100"),
    ("LINK_TARGETS", "'\\x01aa', 7, 100"),
    ("PROJECT_BLOBS", "'\\x01aa', 7, 100"),
    ("REPOSITORY_SUMS", "$late, 20"),
    ("SUMS_OF_REPOSITORY", "9"),
    ("SUMS_OF_PROJECT_BLOB", "7, '\\x01aa'"),
    ("HOLD_HOLDERS", "7, '\\x01aa'"),
    ("KEPT_BYTES", "5, 100"),
    ("BYTES_OF_PROJECT", "9"),
    ("KEPT_FIELDS", "7, '\\x01aa'"),
    ("LOCK_KEPT_FIELDS", "7, '\\x01aa', '\\x00'"),
    ("DELETE_REFERENCES", "7, 5"),
    ("REVIEWS", "500, 100"),
    ("PRUNE_OLD", "500, 100"),
    ("CUT_HISTORY", "7, 'v8', 1000"),
    ("PRUNE_SESSIONS", "500, 100"),
    ("PRUNE_REFRESH_TOKENS", "500, 100"),
    ("ROLES_OF", "7, 7"),
    ("PROJECTS_OF", "7"),
    ("USER_STANDING", "7, 'p5'"),
    ("PROJECT_ROBOT", "'r7', 'p7'"),
    ("PROJECTS_NAMED", "'[\"p5\", \"p7\"]'"),
    ("PROJECT_NAMES", "'[5, 7]'"),
    ("METADATA_OF", "'[5, 7]'"),
];

/// Lists that are continued by key: their first rows come out of an index in order, however many there are.
pub(super) const LISTS: &[&str] = &[
    "TAGS",
    "REFERRERS",
    "CATALOG",
    "BLOB_HOLDERS",
    "BLOBS",
    "STORED_BLOBS",
    "UPLOADS",
    "EXPIRED_UPLOADS",
    "MANIFESTS",
    "TAG_TARGETS",
    "LINK_TARGETS",
    "PROJECT_BLOBS",
    "REPOSITORY_SUMS",
    "KEPT_BYTES",
];

/// What reads a table as a whole in PostgreSQL too: lists that administrators see, and a thousand members' names among a hundred
/// thousand users'.
pub(super) const WHOLE: &[&str] = &[
    "USERS",
    "COUNT_USERS",
    "GROUPS",
    "COUNT_GROUPS",
    "PAGES",
    "COUNT_PROJECTS",
    "PUBLIC_PROJECTS",
    "MEMBERS",
    "COUNT_MEMBERS",
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

/// What fills a database with one `part`th of the rows.
fn fill(dialect: &Dialect, part: u32) -> impl Iterator<Item = String> {
    ROWS.iter().map(move |(table, rows, columns, values)| {
        let values = values
            .replace("$large", &LARGE.to_string())
            .replace("$digest", dialect.digest)
            .replace("$subject", dialect.subject)
            .replace("$false", dialect.falsehood);
        format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {}", (dialect.series)(rows / part))
    })
}

async fn filled(part: u32) -> PgConnection {
    let mut connection = migrated().await;
    for insert in fill(&POSTGRES, part) {
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
#[ignore = "fills a database with millions of rows: cargo xtask test --soak"]
async fn postgres_finds_its_way_among_millions() {
    assert_plans(1, objection).await;
}

/// What a small table is read as a whole for would be right; but even so few rows show what reads all that a repository has.
#[tokio::test]
async fn postgres_reads_few_pages_among_ten_thousands() {
    assert_plans(100, |_, plan| reads_much(plan)).await;
}

/// Asserts it of a database that was filled with one `part`th of the rows.
async fn assert_plans(part: u32, objection: fn(&str, &str) -> Option<&'static str>) {
    let mut connection = filled(part).await;
    // A page that is near the end of all repositories' contents.
    let late = 900_000 / part;
    let mut wrong = Vec::new();
    // Planned for its parameters at first; what it settles on after a while may be a plan for any.
    for planned in [Planned::First, Planned::Seventh, Planned::Any] {
        // A lock on a table has no plan. A list is asked for pages from its beginning to its end, so any plan may be settled on.
        let all = statement::all().filter(|statement| {
            !statement.postgres.starts_with("LOCK ")
                && (planned != Planned::Any || LISTS.contains(&statement.name))
        });
        for statement in all {
            let known = HOT.iter().chain(OFTEN).find(|(name, _)| *name == statement.name);
            let parameters = known.map(|(_, parameters)| parameters.replace("$late", &late.to_string()));
            let plan = plan(&mut connection, statement, parameters.as_deref(), planned).await;
            let why = objection(statement.name, &plan);
            wrong
                .extend(why.map(|why| format!("{}, planned for {planned:?}: {why}\n{plan}", statement.name)));
        }
    }
    connection.close().await.unwrap();
    assert!(wrong.is_empty(), "{} plans are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The most pages that one of [`HOT`] and [`OFTEN`] reads: it looks rows up, a hundred of them at most. All that the largest
/// repository has of anything are some thousand pages, also in an index.
const MOST_PAGES: u64 = 1000;

/// How many pages were read by a statement of PostgreSQL's that was executed for its plan.
fn pages(plan: &str) -> u64 {
    let execution = plan.split("Planning:").next().unwrap_or_default();
    let all = execution.lines().find(|line| line.trim_start().starts_with("Buffers: shared"));
    let read = |word: &str| word.strip_prefix("hit=").or(word.strip_prefix("read="))?.parse::<u64>().ok();
    all.into_iter().flat_map(str::split_whitespace).filter_map(read).sum()
}

/// The most rows that one step of theirs gives: what is read for a hundred is some hundred.
const MOST_ROWS: u64 = 1000;

/// The most rows that a step gave which reads along an index. A small table may be read as a whole.
fn rows(plan: &str) -> u64 {
    let number = |line: &str, name: &str| -> Option<u64> {
        let digits = line.split_once(name)?.1.split(|next: char| !next.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    let rows = |line: &str| Some(number(line, "(actual rows=")? * number(line, " loops=")?);
    let along_index = |line: &&str| line.contains("Scan") && !line.contains("Seq Scan");
    plan.lines().filter(along_index).filter_map(rows).max().unwrap_or_default()
}

/// An index too can be read from end to end, and few pages can have many rows.
fn reads_much(plan: &str) -> Option<&'static str> {
    if rows(plan) > MOST_ROWS {
        return Some("it reads many rows");
    }
    (pages(plan) > MOST_PAGES).then_some("it reads many pages")
}

/// What is wrong with a plan of PostgreSQL's.
fn objection(name: &str, plan: &str) -> Option<&'static str> {
    let reads_all =
        |line: &str| ROWS.iter().any(|(table, ..)| line.contains(&format!("Seq Scan on {table}")));
    // The key that several indexes are merged by is no sort.
    let sorts =
        |line: &str| line.trim_start_matches([' ', '-', '>']).starts_with("Sort") && !line.contains(':');
    if !WHOLE.contains(&name) && plan.lines().any(reads_all) {
        return Some("it reads a large table as a whole");
    }
    if LISTS.contains(&name) && plan.lines().any(sorts) {
        return Some("it sorts all that a page is taken from");
    }
    if let Some(why) = reads_much(plan) {
        return Some(why);
    }
    // A plan for any parameters names all partitions and takes one when it runs.
    let one_each = partitions(plan).values().all(|touched| touched.len() == 1);
    let hot = HOT.iter().any(|(hot, _)| *hot == name);
    (hot && !one_each).then_some("it touches several partitions of a table")
}

#[tokio::test]
#[ignore = "fills a database with millions of rows: cargo xtask test --soak"]
async fn sqlite_finds_its_way_among_millions() {
    let directory = TempDir::new().unwrap();
    let mut connection = embedded(&directory).await;
    for insert in fill(&LITE, 1) {
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
