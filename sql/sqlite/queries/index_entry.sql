-- The events of one subject of a run.
SELECT versions FROM event_index_entries WHERE stream_id = ?1 AND subject = ?2 AND name = ?3
