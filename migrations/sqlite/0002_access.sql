-- Who is asking, for SQLite; the other directory says the same for PostgreSQL.
--
-- Numbers are never used again. A user's name and address, a group's name and a robot's name are unique among the living. Secrets
-- stand here only hashed (`password`, `secret`, `*_hash`) or sealed under the configuration's key (`sealed*`).

ALTER TABLE projects ADD COLUMN owner_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN storage_limit INTEGER;
UPDATE projects SET updated_at = created_at;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    realname TEXT NOT NULL,
    comment TEXT NOT NULL,
    sysadmin INTEGER NOT NULL,
    password TEXT,
    cli_secret TEXT,
    valid_after INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX users_username ON users (username) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL AND email <> '';
CREATE INDEX users_sysadmin ON users (id) WHERE sysadmin = 1 AND deleted_at IS NULL;
-- `admin` is written as 1 by the first start; 2 stays free.
INSERT INTO sqlite_sequence (name, seq) VALUES ('users', 2);

CREATE TABLE user_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    group_type INTEGER NOT NULL,
    ldap_group_dn TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX user_groups_name ON user_groups (group_type, name);
CREATE UNIQUE INDEX user_groups_dn ON user_groups (ldap_group_dn) WHERE ldap_group_dn <> '';

-- Who is in which group, as an identity provider last said.
CREATE TABLE user_group_members (
    user_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_group_members_group ON user_group_members (group_id);

-- Roles as data. Harbor's five are written from the program's table at every start; others may be added.
CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE role_permissions (
    role_id INTEGER NOT NULL,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (role_id, resource, action)
) STRICT, WITHOUT ROWID;

-- `entity_type` is `u` or `g`. The key serves "the roles of this user in this project" and "the projects of this user".
CREATE TABLE project_members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    role_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX project_members_entity ON project_members (entity_type, entity_id, project_id);
CREATE INDEX project_members_project ON project_members (project_id, id);

-- `project_id` is 0 for a robot of the installation. `duration` is in days; none is for ever.
CREATE TABLE robots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    project_id INTEGER NOT NULL,
    description TEXT NOT NULL,
    duration INTEGER,
    disabled INTEGER NOT NULL,
    secret TEXT NOT NULL,
    valid_after INTEGER NOT NULL,
    last_used_at INTEGER,
    by_kind TEXT NOT NULL,
    by_id INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX robots_name ON robots (project_id, name);

-- `scope`: -1 outside of projects, 0 in every project, else the project's number. A grant is one row a permission.
CREATE TABLE robot_permissions (
    robot_id INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (robot_id, scope, resource, action)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    sealed_seed BLOB NOT NULL,
    signs_from INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Random secrets of the installation, for example `robot_secret_key`.
CREATE TABLE sealed_secrets (
    name TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id_hash BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    service TEXT NOT NULL,
    client_id TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_use ON refresh_tokens (last_used_at);
