-- The foundation, for SQLite; the other directory says the same for PostgreSQL.
--
-- Moments are microseconds since 1970-01-01T00:00:00Z. Digests are one byte for the algorithm (1 = sha256, 2 = sha512) and the raw
-- hash. Deletions, sessions and processes are named by the 16 bytes of a UUID. Numbers are never used again (AUTOINCREMENT). Who did
-- something is kept as kind, immutable number and name at the time. What is deleted carries a mark (when, and by which act) and is
-- unique only among the living, so that it can come back. There are no foreign keys: each would cost a look-up, on the other
-- database a lock, in the busiest transactions, and nothing is ever removed that something live refers to.

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    public INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at INTEGER,
    deletion_id BLOB
) STRICT;
CREATE UNIQUE INDEX projects_name ON projects (name) WHERE deleted_at IS NULL;

CREATE TABLE project_metadata (
    project_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at INTEGER,
    deletion_id BLOB
) STRICT;
CREATE UNIQUE INDEX repositories_name ON repositories (name) WHERE deleted_at IS NULL;
CREATE INDEX repositories_project ON repositories (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX repositories_deletion ON repositories (deletion_id) WHERE deletion_id IS NOT NULL;

-- One row a digest. Either `content` or `location` is there. State: 0 ok, 1 missing, 2 corrupt.
CREATE TABLE blobs (
    digest BLOB NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state_at INTEGER NOT NULL,
    location TEXT,
    content BLOB
) STRICT;

-- Which repository holds which blob. `deletion_id` is empty for a live link, so that the key itself keeps live links unique.
CREATE TABLE blob_links (
    digest BLOB NOT NULL,
    repository_id INTEGER NOT NULL,
    deletion_id BLOB NOT NULL DEFAULT X'',
    deleted_at INTEGER,
    linked_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    PRIMARY KEY (digest, repository_id, deletion_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_links_repository ON blob_links (repository_id);
CREATE INDEX blob_links_deletion ON blob_links (deletion_id) WHERE deleted_at IS NOT NULL;

-- Which project holds which blob by how many live links: what quotas count each digest once by.
CREATE TABLE project_blobs (
    digest BLOB NOT NULL,
    project_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    links INTEGER NOT NULL,
    PRIMARY KEY (digest, project_id)
) STRICT, WITHOUT ROWID;

-- `artifact_type` is what a referrers list shows; `annotations` is a JSON object, kept for manifests with a subject only.
CREATE TABLE manifests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT,
    subject BLOB,
    size INTEGER NOT NULL,
    pushed_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at INTEGER,
    deletion_id BLOB,
    annotations TEXT,
    content BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX manifests_digest ON manifests (repository_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX manifests_subject ON manifests (repository_id, subject, id) WHERE subject IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX manifests_deletion ON manifests (deletion_id) WHERE deletion_id IS NOT NULL;

-- What manifests point at. Role: 0 config, 1 layer, 2 manifest, 3 entry of an index that is no manifest by its type, 4 subject.
CREATE TABLE manifest_references (
    repository_id INTEGER NOT NULL,
    manifest_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    role INTEGER NOT NULL,
    target BLOB NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (repository_id, manifest_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_references_target ON manifest_references (repository_id, target, role);

-- Pulls of a manifest; apart from it, so that counting never rewrites content.
CREATE TABLE manifest_pulls (
    repository_id INTEGER NOT NULL,
    manifest_id INTEGER NOT NULL,
    pull_count INTEGER NOT NULL,
    pulled_at INTEGER NOT NULL,
    PRIMARY KEY (repository_id, manifest_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    pushed_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at INTEGER,
    deletion_id BLOB
) STRICT;
CREATE UNIQUE INDEX tags_name ON tags (repository_id, name) WHERE deleted_at IS NULL;
CREATE INDEX tags_digest ON tags (repository_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX tags_deletion ON tags (deletion_id) WHERE deletion_id IS NOT NULL;

-- Lines of one tag are numbered from 1 without gaps, so that the ones beyond a limit are found without counting.
CREATE TABLE tag_history (
    repository_id INTEGER NOT NULL,
    tag TEXT NOT NULL,
    line INTEGER NOT NULL,
    from_digest BLOB,
    to_digest BLOB,
    changed_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    PRIMARY KEY (repository_id, tag, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_history_changed ON tag_history (changed_at);
CREATE INDEX tag_history_line ON tag_history (line);

CREATE TABLE upload_sessions (
    id BLOB NOT NULL PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    owner_kind TEXT NOT NULL,
    owner_id INTEGER NOT NULL,
    owner_name TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    location TEXT NOT NULL,
    durable INTEGER NOT NULL,
    tail BLOB NOT NULL,
    storage_state BLOB NOT NULL,
    hash_state BLOB NOT NULL,
    writer_process BLOB,
    writer_progressed_at INTEGER,
    epoch INTEGER NOT NULL,
    suspect INTEGER NOT NULL,
    finished BLOB,
    cancelled INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX upload_sessions_expiry ON upload_sessions (expires_at);

-- Acts of deletion: everything that one marked carries its id.
CREATE TABLE deletions (
    id BLOB NOT NULL PRIMARY KEY,
    deleted_at INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    restored_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX deletions_deleted ON deletions (deleted_at);

-- What may have lost its last reference. A blob has the repository 0, a manifest its own.
CREATE TABLE review_queue (
    digest BLOB NOT NULL,
    repository_id INTEGER NOT NULL,
    review_after INTEGER NOT NULL,
    PRIMARY KEY (digest, repository_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX review_queue_due ON review_queue (review_after);

-- Sums in slots: writers take turns among the slots of a sum and touch them last, readers add the slots up.
-- Kind: 1 bytes of a project, 2 live manifests, 3 live tags, 4 pulls of a repository.
CREATE TABLE counters (
    kind INTEGER NOT NULL,
    owner_id INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (kind, owner_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO projects (name, public, created_at, by_kind, by_id, by_name)
VALUES ('library', 1, CAST(strftime('%s', 'now') AS INTEGER) * 1000000, 'system', 0, 'berth');
