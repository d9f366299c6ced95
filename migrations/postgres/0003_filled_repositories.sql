-- Whether a repository has a live manifest, so that a list of those that have one reads an index and nothing else. Written by the
-- transactions that bring the first manifest and take the last one.

ALTER TABLE repositories ADD COLUMN filled BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE repositories AS r SET filled = TRUE
WHERE EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL);
CREATE INDEX repositories_filled ON repositories (name) WHERE filled AND deleted_at IS NULL;
CREATE INDEX repositories_filled_project ON repositories (project_id, name) WHERE filled AND deleted_at IS NULL;
