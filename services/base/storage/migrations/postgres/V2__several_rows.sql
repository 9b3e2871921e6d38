-- A saga may have several rows. rows.correlation_id identifies the row; saga_id is the saga's correlation id where that is another.
-- Pods of the first release may still write while this runs, and after it: they name their columns, and need the primary key as it is.
ALTER TABLE rows
    ADD COLUMN saga_id     uuid,
    ADD COLUMN aggregate   text NOT NULL DEFAULT '', -- '' was written by the first release
    ADD COLUMN owner       text,
    ADD COLUMN second_key  text,
    ADD COLUMN parent_id   uuid,
    ADD COLUMN range_from  timestamptz,
    ADD COLUMN range_until timestamptz;
CREATE INDEX rows_by_saga ON rows (saga_id) WHERE saga_id IS NOT NULL;
CREATE INDEX rows_by_owner ON rows (owner, id) WHERE owner IS NOT NULL;
CREATE UNIQUE INDEX rows_by_second_key ON rows (second_key, aggregate) WHERE second_key IS NOT NULL;
CREATE INDEX rows_by_parent ON rows (parent_id, range_until) WHERE parent_id IS NOT NULL;
