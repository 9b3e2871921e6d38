-- Columns that hold JSON are json and not jsonb: what was written is read again letter by letter, so that a replayed answer keeps its order.

CREATE SEQUENCE public_ids;

CREATE TABLE rows (
    correlation_id uuid PRIMARY KEY,
    id             bigint UNIQUE, -- NULL for a tombstone
    version        bigint NOT NULL,
    state          text NOT NULL,
    clock          bigint NOT NULL,
    body           json NOT NULL,
    claim_owner    uuid,
    claim_until    timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rows_by_state ON rows (state, created_at);
CREATE INDEX tombstones ON rows (created_at) WHERE id IS NULL;

-- The names are those of Debezium's outbox event router. Numbers in seq are given before the commit: they do not say who was first.
CREATE TABLE outbox (
    seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid NOT NULL UNIQUE,
    aggregatetype text NOT NULL,
    aggregateid   uuid NOT NULL,
    type          text NOT NULL,
    version       bigint NOT NULL,
    headers       json NOT NULL,
    payload       json NOT NULL,
    occurred_at   timestamptz NOT NULL DEFAULT now(),
    published_at  timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (aggregateid, version, seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE inbox (
    event_id   uuid PRIMARY KEY,
    handled_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_by_age ON inbox (handled_at);

CREATE TABLE idempotency_keys (
    key            text PRIMARY KEY,
    fingerprint    text NOT NULL,
    correlation_id uuid NOT NULL UNIQUE,
    answer_status  integer,
    answer_location_id bigint,
    answer_body    text,
    settled_at     timestamptz
);
CREATE INDEX settled_keys ON idempotency_keys (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE dead_letters (
    seq              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic            text NOT NULL,
    record_partition integer NOT NULL,
    record_offset    bigint NOT NULL,
    record_key       text,
    headers          json NOT NULL,
    payload          bytea NOT NULL,
    error            text NOT NULL,
    occurred_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE lease (
    name  text PRIMARY KEY,
    owner uuid NOT NULL,
    until timestamptz NOT NULL
);

-- Ends a statement with an error, so that nothing of it stays.
CREATE FUNCTION refuse(code text, reason text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = reason;
END
$$;
