-- The blocks of stream ?1 that start between two versions, in order.
SELECT stream_id, first_version, event_count, event_types, hash_before, hash_after, event_checks, codec, byte_count,
       stored_hash, body
FROM es_event_blocks
WHERE stream_id = ?1 AND first_version BETWEEN ?2 AND ?3
ORDER BY first_version
