-- What a step has decided, in one round trip. Parts that it does not have are NULL or empty. The rows that come first are locked first, in every write alike.
WITH handled AS (
    INSERT INTO innkeeper.inbox (event_id)
    SELECT $1::uuid WHERE $1::uuid IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING 1
), begun AS (
    INSERT INTO innkeeper.idempotency_keys (key, fingerprint, correlation_id)
    SELECT $2::text, $3::text, $4::uuid WHERE $2::text IS NOT NULL
    ON CONFLICT (key) DO NOTHING
    RETURNING 1
), settled AS (
    UPDATE innkeeper.idempotency_keys SET answer_status = $6::integer, answer_location_id = $7::bigint, answer_body = $8::text, settled_at = now()
    WHERE correlation_id = $5::uuid AND settled_at IS NULL
), changed AS (
    SELECT * FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::bigint[], $13::bigint[], $14::text[], $15::bigint[], $16::text[],
        $17::uuid[], $18::bigint[], $19::text[], $20::text[], $21::uuid[], $22::timestamptz[], $23::timestamptz[])
        AS change (row_id, saga_id, aggregate, id, seen_version, state, clock, body,
        claim_owner, claim_microseconds, owner, second_key, parent_id, range_from, range_until)
), inserted AS (
    INSERT INTO innkeeper.rows (correlation_id, saga_id, aggregate, id, version, state, clock, body,
        claim_owner, claim_until, owner, second_key, parent_id, range_from, range_until)
    SELECT row_id, saga_id, aggregate, id, 1, state, clock, body::json,
        claim_owner, now() + claim_microseconds * interval '1 microsecond', owner, second_key, parent_id, range_from, range_until
    FROM changed WHERE seen_version = 0
    ON CONFLICT (correlation_id) DO NOTHING
    RETURNING 1
), updated AS (
    UPDATE innkeeper.rows SET id = changed.id, version = rows.version + 1, state = changed.state, clock = changed.clock, body = changed.body::json,
        claim_owner = changed.claim_owner, claim_until = now() + changed.claim_microseconds * interval '1 microsecond',
        second_key = changed.second_key
    FROM changed WHERE rows.correlation_id = changed.row_id AND rows.version = changed.seen_version
    RETURNING 1
), raised AS (
    INSERT INTO innkeeper.outbox (id, aggregatetype, aggregateid, type, version, headers, payload)
    SELECT id, aggregatetype, aggregateid, type, version, headers::json, payload::json
    FROM unnest($24::uuid[], $25::text[], $26::uuid[], $27::text[], $28::bigint[], $29::text[], $30::text[])
        WITH ORDINALITY AS event (id, aggregatetype, aggregateid, type, version, headers, payload, place)
    ORDER BY place
), buried AS (
    INSERT INTO innkeeper.dead_letters (topic, record_partition, record_offset, record_key, headers, payload, error, id, kind, event_id, tries)
    SELECT $31::text, $32::integer, $33::bigint, $34::text, $35::text::json, $36::bytea, $37::text, $38::uuid, $39::text, $40::uuid, $41::integer
    WHERE $31::text IS NOT NULL
    ON CONFLICT (id) DO NOTHING
), unburied AS (
    DELETE FROM innkeeper.dead_letters WHERE event_id = $1::uuid OR id = $42::uuid
)
SELECT CASE
    WHEN $1::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM handled) THEN innkeeper.refuse('IK001', 'the event was handled before')
    WHEN $2::text IS NOT NULL AND NOT EXISTS (SELECT FROM begun) THEN innkeeper.refuse('IK002', 'the idempotency key is taken')
    WHEN (SELECT count(*) FROM inserted) + (SELECT count(*) FROM updated) < cardinality($9::uuid[])
        THEN innkeeper.refuse('IK003', 'a row was changed by somebody else')
END
