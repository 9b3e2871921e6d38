-- A saga may have several rows. rows.correlation_id identifies the row; saga_id is the saga's correlation id where that is another.
ALTER TABLE {rows} ADD COLUMN saga_id BLOB;
ALTER TABLE {rows} ADD COLUMN aggregate TEXT NOT NULL DEFAULT ''; -- '' was written by the first release
ALTER TABLE {rows} ADD COLUMN owner TEXT;
ALTER TABLE {rows} ADD COLUMN second_key TEXT;
ALTER TABLE {rows} ADD COLUMN parent_id BLOB;
ALTER TABLE {rows} ADD COLUMN range_from INTEGER;
ALTER TABLE {rows} ADD COLUMN range_until INTEGER;
CREATE INDEX {rows_by_saga} ON {rows} (saga_id) WHERE saga_id IS NOT NULL;
CREATE INDEX {rows_by_owner} ON {rows} (owner, id) WHERE owner IS NOT NULL;
CREATE UNIQUE INDEX {rows_by_second_key} ON {rows} (second_key, aggregate) WHERE second_key IS NOT NULL;
CREATE INDEX {rows_by_parent} ON {rows} (parent_id, range_until) WHERE parent_id IS NOT NULL;
