INSERT INTO es_events (position, stream_id, version, event_type, schema_version, payload, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
