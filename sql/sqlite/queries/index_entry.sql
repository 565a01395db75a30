-- The events of one subject in a run's event index.
SELECT versions FROM event_index_entries WHERE stream_id = ?1 AND subject = ?2 AND name = ?3
