-- The events of several ranges of versions, range by range. The inner ORDER BY makes each range one
-- scan of the key.
SELECT r.n, e.version, e.event_type, e.schema_version, e.payload, e.hash
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) WITH ORDINALITY AS r (stream_id, first_version, last_version, n)
CROSS JOIN LATERAL (
    SELECT version, event_type, schema_version, payload, hash FROM es_events
    WHERE stream_id = r.stream_id AND version BETWEEN r.first_version AND r.last_version
    ORDER BY version
) e
ORDER BY r.n, e.version
