-- The blocks of stream ?1 in order, from the one that contains version ?2. None starts after version ?3.
SELECT stream_id, first_version, event_count, event_types, hash_before, hash_after, event_checks, codec, byte_count,
       stored_hash, body
FROM es_event_blocks
WHERE stream_id = ?1
  AND first_version >= coalesce((SELECT max(first_version) FROM es_event_blocks
                                 WHERE stream_id = ?1 AND first_version <= ?2), ?2)
  AND first_version <= ?3
ORDER BY first_version
