-- The first $5 blocks of stream $1, between two versions, that have an event of one of these types, each
-- with its append.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, b.stream_id, b.first_version, b.event_count, b.event_types,
       b.hash_before, b.hash_after, b.event_checks, b.codec, b.byte_count, b.stored_hash, b.body
FROM es_event_blocks b
JOIN es_appends a ON a.stream_id = b.stream_id AND b.first_version >= a.first_version
                 AND b.first_version < a.first_version + a.event_count
WHERE b.stream_id = $1 AND b.first_version + b.event_count > $2 AND b.first_version <= $3
  AND EXISTS (SELECT FROM json_array_elements(b.event_types::JSON) t WHERE t ->> 0 = ANY ($4::TEXT[]))
ORDER BY b.first_version LIMIT $5
