-- The entries of a run's event index after a subject and name.
SELECT e.subject, e.name, e.versions
FROM es_streams s JOIN event_index_entries e USING (stream_id)
WHERE s.name = $1 AND (e.subject, e.name) > ($2::TEXT COLLATE "C", $3::BYTEA)
ORDER BY e.subject, e.name LIMIT $4
