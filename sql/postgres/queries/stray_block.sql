-- The first block that belongs to no append, in stream $1 or in all streams.
SELECT b.stream_id, b.first_version, s.name
FROM es_event_blocks b LEFT JOIN es_streams s USING (stream_id)
WHERE ($1::BIGINT IS NULL OR b.stream_id = $1)
  AND NOT EXISTS (SELECT FROM es_appends a
                  WHERE a.stream_id = b.stream_id
                    AND b.first_version >= a.first_version AND b.first_version - a.first_version < a.event_count)
ORDER BY b.stream_id, b.first_version LIMIT 1
