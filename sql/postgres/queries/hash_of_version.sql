-- The hash of version $2 of stream $1: of a row, or of the last event of a block.
SELECT hash FROM es_events WHERE stream_id = $1 AND version = $2
UNION ALL
SELECT hash_after FROM es_event_blocks
WHERE stream_id = $1 AND first_version <= $2 AND first_version + event_count = $2 + 1
LIMIT 1
