-- The first row of an event that belongs to no append, or that is in a block too, in stream $1 or in all
-- streams.
SELECT e.stream_id, e.version, s.name
FROM es_events e LEFT JOIN es_streams s USING (stream_id)
WHERE ($1::BIGINT IS NULL OR e.stream_id = $1)
  AND (NOT EXISTS (SELECT FROM es_appends a
                   WHERE a.stream_id = e.stream_id
                     AND e.version >= a.first_version AND e.version - a.first_version < a.event_count)
       OR EXISTS (SELECT FROM es_event_blocks b
                  WHERE b.stream_id = e.stream_id
                    AND e.version >= b.first_version AND e.version - b.first_version < b.event_count))
ORDER BY e.stream_id, e.version LIMIT 1
