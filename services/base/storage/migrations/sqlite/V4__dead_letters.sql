-- Dead letters can be named, replayed and discarded; claims are found when the file is opened.
ALTER TABLE {dead_letters} ADD COLUMN id BLOB;
ALTER TABLE {dead_letters} ADD COLUMN kind TEXT NOT NULL DEFAULT 'Failed'; -- earlier releases did not say which
ALTER TABLE {dead_letters} ADD COLUMN event_id BLOB; -- NULL if the record has no id that can be read
ALTER TABLE {dead_letters} ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;
UPDATE {dead_letters} SET id = randomblob(16);
CREATE UNIQUE INDEX {dead_letters_by_id} ON {dead_letters} (id);
CREATE INDEX {dead_letters_by_kind} ON {dead_letters} (kind, seq);
CREATE INDEX {dead_letters_by_event} ON {dead_letters} (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX {claimed_rows} ON {rows} (claim_until) WHERE claim_until IS NOT NULL;
