-- Instants are microseconds since 1970 in UTC; uuids are 16 bytes; headers are JSON arrays of pairs.

CREATE TABLE {rows} (
    correlation_id BLOB PRIMARY KEY,
    id             INTEGER UNIQUE, -- NULL for a tombstone
    version        INTEGER NOT NULL,
    state          TEXT NOT NULL,
    clock          INTEGER NOT NULL,
    body           TEXT NOT NULL,
    claim_owner    BLOB,
    claim_until    INTEGER,
    created_at     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX {rows_by_state} ON {rows} (state, created_at);
CREATE INDEX {tombstones} ON {rows} (created_at) WHERE id IS NULL;

-- The names are those of Debezium's outbox event router.
CREATE TABLE {outbox} (
    seq           INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE,
    aggregatetype TEXT NOT NULL,
    aggregateid   BLOB NOT NULL,
    type          TEXT NOT NULL,
    version       INTEGER NOT NULL,
    headers       TEXT NOT NULL,
    payload       TEXT NOT NULL,
    occurred_at   INTEGER NOT NULL,
    published_at  INTEGER
);
CREATE INDEX {outbox_unpublished} ON {outbox} (aggregateid, version) WHERE published_at IS NULL;
CREATE INDEX {outbox_published} ON {outbox} (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE {inbox} (
    event_id   BLOB PRIMARY KEY,
    handled_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX {inbox_by_age} ON {inbox} (handled_at);

CREATE TABLE {idempotency_keys} (
    key            TEXT PRIMARY KEY,
    fingerprint    TEXT NOT NULL,
    correlation_id BLOB NOT NULL UNIQUE,
    answer_status  INTEGER,
    answer_location_id INTEGER,
    answer_body    TEXT,
    settled_at     INTEGER
) WITHOUT ROWID;
CREATE INDEX {settled_keys} ON {idempotency_keys} (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE {dead_letters} (
    seq              INTEGER PRIMARY KEY,
    topic            TEXT NOT NULL,
    record_partition INTEGER NOT NULL,
    record_offset    INTEGER NOT NULL,
    record_key       TEXT,
    headers          TEXT NOT NULL,
    payload          BLOB NOT NULL,
    error            TEXT NOT NULL,
    occurred_at      INTEGER NOT NULL
);

CREATE TABLE {lease} (
    name  TEXT PRIMARY KEY,
    owner BLOB NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
