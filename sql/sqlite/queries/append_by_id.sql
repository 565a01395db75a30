-- The append with this id.
SELECT a.seq, a.first_position, a.first_version, a.event_count, s.name
FROM es_appends a JOIN es_streams s USING (stream_id)
WHERE a.append_id = ?1
