-- The hash of one event of a stream. The append of the event gives its position.
SELECT e.hash FROM es_events e
WHERE e.position = (SELECT a.first_position + ?2 - a.first_version FROM es_appends a
                    WHERE a.stream_id = ?1 AND a.first_version <= ?2
                    ORDER BY a.first_version DESC LIMIT 1)
