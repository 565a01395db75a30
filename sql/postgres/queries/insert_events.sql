-- Inserts a small number of events; copy_events.sql is faster for many.
INSERT INTO es_events (stream_id, version, event_type, schema_version, payload, hash)
SELECT $1, $2::BIGINT + n - 1, event_type, schema_version, payload::JSON, hash
FROM unnest($3::TEXT[], $4::INTEGER[], $5::TEXT[], $6::BYTEA[]) WITH ORDINALITY
     AS given (event_type, schema_version, payload, hash, n)
