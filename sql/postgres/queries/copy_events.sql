COPY es_events (stream_id, version, event_type, schema_version, payload, hash) FROM STDIN (FORMAT binary)
