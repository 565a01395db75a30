-- The projector version and the extent of a stream's event index.
SELECT i.stream_id, i.projector_version, i.up_to_version
FROM es_streams s JOIN event_indexes i USING (stream_id)
WHERE s.name = ?1
