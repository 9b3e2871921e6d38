-- One write, in one round trip. Parts that a write does not have are NULL. The rows that come first are locked first, in every write alike.
WITH handled AS (
    INSERT INTO inbox (event_id)
    SELECT $1::uuid WHERE $1::uuid IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING 1
), begun AS (
    INSERT INTO idempotency_keys (key, fingerprint, correlation_id)
    SELECT $2::text, $3::text, $4::uuid WHERE $2::text IS NOT NULL
    ON CONFLICT (key) DO NOTHING
    RETURNING 1
), settled AS (
    UPDATE idempotency_keys SET answer_status = $6::integer, answer_location_id = $7::bigint, answer_body = $8::text, settled_at = now()
    WHERE correlation_id = $5::uuid AND settled_at IS NULL
), inserted AS (
    INSERT INTO rows (correlation_id, id, version, state, clock, body, claim_owner, claim_until)
    SELECT $9::uuid, $10::bigint, 1, $12::text, $13::bigint, $14::text::json, $15::uuid, now() + $16::bigint * interval '1 microsecond'
    WHERE $11::bigint = 0
    ON CONFLICT (correlation_id) DO NOTHING
    RETURNING 1
), updated AS (
    UPDATE rows SET id = $10::bigint, version = version + 1, state = $12::text, clock = $13::bigint, body = $14::text::json,
        claim_owner = $15::uuid, claim_until = now() + $16::bigint * interval '1 microsecond'
    WHERE correlation_id = $9::uuid AND version = $11::bigint
    RETURNING 1
), raised AS (
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, version, headers, payload)
    SELECT id, aggregatetype, aggregateid, type, version, headers::json, payload::json
    FROM unnest($17::uuid[], $18::text[], $19::uuid[], $20::text[], $21::bigint[], $22::text[], $23::text[])
        WITH ORDINALITY AS event (id, aggregatetype, aggregateid, type, version, headers, payload, place)
    ORDER BY place
), buried AS (
    INSERT INTO dead_letters (topic, record_partition, record_offset, record_key, headers, payload, error)
    SELECT $24::text, $25::integer, $26::bigint, $27::text, $28::text::json, $29::bytea, $30::text
    WHERE $24::text IS NOT NULL
)
SELECT CASE
    WHEN $1::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM handled) THEN refuse('IK001', 'the event was handled before')
    WHEN $2::text IS NOT NULL AND NOT EXISTS (SELECT FROM begun) THEN refuse('IK002', 'the idempotency key is taken')
    WHEN $9::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM inserted) AND NOT EXISTS (SELECT FROM updated)
        THEN refuse('IK003', 'the row was changed by somebody else')
END
