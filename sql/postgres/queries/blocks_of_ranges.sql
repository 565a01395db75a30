-- The blocks of several ranges of versions, range by range, each from the block that contains the first
-- version of the range.
SELECT r.n, b.stream_id, b.first_version, b.event_count, b.event_types, b.hash_before, b.hash_after, b.event_checks,
       b.codec, b.byte_count, b.stored_hash, b.body
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) WITH ORDINALITY AS r (stream_id, first_version, last_version, n)
CROSS JOIN LATERAL (
    SELECT * FROM es_event_blocks
    WHERE stream_id = r.stream_id
      AND first_version >= coalesce((SELECT max(c.first_version) FROM es_event_blocks c
                                     WHERE c.stream_id = r.stream_id AND c.first_version <= r.first_version),
                                    r.first_version)
      AND first_version <= r.last_version
    ORDER BY first_version
) b
ORDER BY r.n, b.first_version
