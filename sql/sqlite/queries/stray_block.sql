-- The first block that belongs to no append.
SELECT b.stream_id, b.first_version, s.name
FROM es_event_blocks b LEFT JOIN es_streams s USING (stream_id)
WHERE NOT EXISTS (SELECT 1 FROM es_appends a
                  WHERE a.stream_id = b.stream_id
                    AND b.first_version >= a.first_version AND b.first_version - a.first_version < a.event_count)
ORDER BY b.stream_id, b.first_version LIMIT 1
