-- The first $3 blocks of stream $1 that contain one of these versions.
SELECT 1::BIGINT, b.stream_id, b.first_version, b.event_count, b.event_types, b.hash_before, b.hash_after,
       b.event_checks, b.codec, b.byte_count, b.stored_hash, b.body
FROM es_event_blocks b
WHERE b.stream_id = $1
  AND b.first_version IN (SELECT (SELECT max(c.first_version) FROM es_event_blocks c
                                  WHERE c.stream_id = $1 AND c.first_version <= v)
                          FROM unnest($2::BIGINT[]) v)
ORDER BY b.first_version LIMIT $3
