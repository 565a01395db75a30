INSERT INTO es_event_blocks (stream_id, first_version, event_count, event_types, hash_before, hash_after, event_checks,
                             codec, byte_count, stored_hash, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
