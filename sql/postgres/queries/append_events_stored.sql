-- The events of an append, to compare with those of a retry.
SELECT event_type, schema_version, payload FROM es_events
WHERE stream_id = $1 AND version BETWEEN $2 AND $3 ORDER BY version
