-- The hash of one event of a stream: of a row, whose position follows from its append, or of the last
-- event of a block.
SELECT e.hash FROM es_events e
WHERE e.position = (SELECT a.first_position + ?2 - a.first_version FROM es_appends a
                    WHERE a.stream_id = ?1 AND a.first_version <= ?2
                    ORDER BY a.first_version DESC LIMIT 1)
UNION ALL
SELECT b.hash_after FROM es_event_blocks b
WHERE b.stream_id = ?1 AND b.first_version <= ?2 AND b.first_version + b.event_count = ?2 + 1
LIMIT 1
