-- The events of stream $1 between two versions that are stored in rows.
SELECT version, event_type, schema_version, payload, hash FROM es_events
WHERE stream_id = $1 AND version BETWEEN $2 AND $3 ORDER BY version
