-- Who took a deletion back, beside when; of one that was taken back earlier nobody knows it.

ALTER TABLE deletions ADD COLUMN restored_by_kind TEXT;
ALTER TABLE deletions ADD COLUMN restored_by_id BIGINT;
ALTER TABLE deletions ADD COLUMN restored_by_name TEXT;
