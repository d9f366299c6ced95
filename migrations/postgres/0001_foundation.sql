-- The foundation, for PostgreSQL; the other directory says the same for SQLite.
--
-- Moments are microseconds since 1970-01-01T00:00:00Z. Digests are one byte for the algorithm (1 = sha256, 2 = sha512) and the raw
-- hash. Deletions, sessions and processes are named by the 16 bytes of a UUID. Numbers come from sequences and are never used again.
-- Names are compared byte by byte (COLLATE "C"). Who did something is kept as kind, immutable number and name at the time. What is
-- deleted carries a mark (when, and by which act) and is unique only among the living, so that it can come back. There are no
-- foreign keys: each would cost a look-up and a lock in the busiest transactions, and nothing is ever removed that something live
-- refers to.
--
-- The large tables are cut into 16 partitions by the hash of the column that every hot statement knows, which comes first in the
-- primary key: what belongs to a blob by its digest, what belongs to a repository by its number. Sixteen keep an index of a billion
-- rows one level lower and vacuum in parallel, while a plan that cannot name its partition still locks few enough relations.

CREATE TABLE projects (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    public BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at BIGINT,
    deletion_id BYTEA
);
CREATE UNIQUE INDEX projects_name ON projects (name) WHERE deleted_at IS NULL;

CREATE TABLE project_metadata (
    project_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
);

CREATE TABLE repositories (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at BIGINT,
    deletion_id BYTEA
);
CREATE UNIQUE INDEX repositories_name ON repositories (name) WHERE deleted_at IS NULL;
CREATE INDEX repositories_project ON repositories (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX repositories_deletion ON repositories (deletion_id) WHERE deletion_id IS NOT NULL;

-- One row a digest. Either `content` or `location` is there. State: 0 ok, 1 missing, 2 corrupt.
CREATE TABLE blobs (
    digest BYTEA NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    created_at BIGINT NOT NULL,
    state_at BIGINT NOT NULL,
    location TEXT,
    content BYTEA
) PARTITION BY HASH (digest);

-- Which repository holds which blob. `deletion_id` is empty for a live link, so that the key itself keeps live links unique.
CREATE TABLE blob_links (
    digest BYTEA NOT NULL,
    repository_id BIGINT NOT NULL,
    deletion_id BYTEA NOT NULL DEFAULT '',
    deleted_at BIGINT,
    linked_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    PRIMARY KEY (digest, repository_id, deletion_id)
) PARTITION BY HASH (digest);
CREATE INDEX blob_links_repository ON blob_links (repository_id);
CREATE INDEX blob_links_deletion ON blob_links (deletion_id) WHERE deleted_at IS NOT NULL;

-- Which project holds which blob by how many live links: what quotas count each digest once by.
CREATE TABLE project_blobs (
    digest BYTEA NOT NULL,
    project_id BIGINT NOT NULL,
    size BIGINT NOT NULL,
    links BIGINT NOT NULL,
    PRIMARY KEY (digest, project_id)
) PARTITION BY HASH (digest);

-- `artifact_type` is what a referrers list shows; `annotations` is a JSON object, kept for manifests with a subject only.
CREATE SEQUENCE manifest_ids;
CREATE TABLE manifests (
    id BIGINT NOT NULL DEFAULT nextval('manifest_ids'),
    repository_id BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT COLLATE "C",
    subject BYTEA,
    size BIGINT NOT NULL,
    pushed_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at BIGINT,
    deletion_id BYTEA,
    annotations TEXT,
    content BYTEA NOT NULL,
    PRIMARY KEY (repository_id, id)
) PARTITION BY HASH (repository_id);
ALTER SEQUENCE manifest_ids OWNED BY manifests.id;
CREATE UNIQUE INDEX manifests_digest ON manifests (repository_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX manifests_subject ON manifests (repository_id, subject, id) WHERE subject IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX manifests_deletion ON manifests (deletion_id) WHERE deletion_id IS NOT NULL;

-- What manifests point at. Role: 0 config, 1 layer, 2 manifest, 3 entry of an index that is no manifest by its type, 4 subject.
CREATE TABLE manifest_references (
    repository_id BIGINT NOT NULL,
    manifest_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    role SMALLINT NOT NULL,
    target BYTEA NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (repository_id, manifest_id, position)
) PARTITION BY HASH (repository_id);
CREATE INDEX manifest_references_target ON manifest_references (repository_id, target, role);

-- Pulls of a manifest; apart from it, so that counting never rewrites content.
CREATE TABLE manifest_pulls (
    repository_id BIGINT NOT NULL,
    manifest_id BIGINT NOT NULL,
    pull_count BIGINT NOT NULL,
    pulled_at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, manifest_id)
) PARTITION BY HASH (repository_id);

CREATE SEQUENCE tag_ids;
CREATE TABLE tags (
    id BIGINT NOT NULL DEFAULT nextval('tag_ids'),
    repository_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    pushed_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    deleted_at BIGINT,
    deletion_id BYTEA,
    PRIMARY KEY (repository_id, id)
) PARTITION BY HASH (repository_id);
ALTER SEQUENCE tag_ids OWNED BY tags.id;
CREATE UNIQUE INDEX tags_name ON tags (repository_id, name) WHERE deleted_at IS NULL;
CREATE INDEX tags_digest ON tags (repository_id, digest) WHERE deleted_at IS NULL;
CREATE INDEX tags_deletion ON tags (deletion_id) WHERE deletion_id IS NOT NULL;

-- Lines of one tag are numbered from 1 without gaps, so that the ones beyond a limit are found without counting.
CREATE TABLE tag_history (
    repository_id BIGINT NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    line BIGINT NOT NULL,
    from_digest BYTEA,
    to_digest BYTEA,
    changed_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    PRIMARY KEY (repository_id, tag, line)
) PARTITION BY HASH (repository_id);
CREATE INDEX tag_history_changed ON tag_history (changed_at);
CREATE INDEX tag_history_line ON tag_history (line);

CREATE TABLE upload_sessions (
    id BYTEA NOT NULL PRIMARY KEY,
    repository_id BIGINT NOT NULL,
    owner_kind TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    owner_name TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    location TEXT NOT NULL,
    durable BIGINT NOT NULL,
    tail BYTEA NOT NULL,
    storage_state BYTEA NOT NULL,
    hash_state BYTEA NOT NULL,
    writer_process BYTEA,
    writer_progressed_at BIGINT,
    epoch BIGINT NOT NULL,
    suspect BOOLEAN NOT NULL,
    finished BYTEA,
    cancelled BOOLEAN NOT NULL,
    started_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX upload_sessions_expiry ON upload_sessions (expires_at);

-- Acts of deletion: everything that one marked carries its id.
CREATE TABLE deletions (
    id BYTEA NOT NULL PRIMARY KEY,
    deleted_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    restored_at BIGINT
);
CREATE INDEX deletions_deleted ON deletions (deleted_at);

-- What may have lost its last reference. A blob has the repository 0, a manifest its own.
CREATE TABLE review_queue (
    digest BYTEA NOT NULL,
    repository_id BIGINT NOT NULL,
    review_after BIGINT NOT NULL,
    PRIMARY KEY (digest, repository_id)
);
CREATE INDEX review_queue_due ON review_queue (review_after);

-- Sums in slots: writers take turns among the slots of a sum and touch them last, readers add the slots up.
-- Kind: 1 bytes of a project, 2 live manifests, 3 live tags, 4 pulls of a repository.
CREATE TABLE counters (
    kind SMALLINT NOT NULL,
    owner_id BIGINT NOT NULL,
    slot SMALLINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (kind, owner_id, slot)
) WITH (fillfactor = 50);

CREATE TABLE settings (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

DO $$
DECLARE
    large TEXT;
BEGIN
    FOREACH large IN ARRAY ARRAY['blobs', 'blob_links', 'project_blobs', 'manifests', 'manifest_references', 'manifest_pulls',
                                 'tags', 'tag_history']
    LOOP
        FOR part IN 0..15 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                           large || '_p' || part, large, part);
        END LOOP;
    END LOOP;
END
$$;

INSERT INTO projects (name, public, created_at, by_kind, by_id, by_name)
VALUES ('library', TRUE, CAST(EXTRACT(EPOCH FROM now()) AS BIGINT) * 1000000, 'system', 0, 'berth');
