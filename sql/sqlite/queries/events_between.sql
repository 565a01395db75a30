SELECT position, stream_id, version, event_type, schema_version, payload, hash FROM es_events
WHERE position BETWEEN ?1 AND ?2 ORDER BY position
