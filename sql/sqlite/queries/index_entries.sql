-- The entries of a run's event index after a subject and name.
SELECT subject, name, versions FROM event_index_entries
WHERE stream_id = ?1 AND (subject, name) > (?2, ?3)
ORDER BY subject, name LIMIT ?4
