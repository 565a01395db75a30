-- Every event index, ordered by the name of its stream.
SELECT s.name, i.projector_version, i.up_to_version, i.stream_id
FROM event_indexes i LEFT JOIN es_streams s USING (stream_id)
ORDER BY s.name COLLATE "C"
