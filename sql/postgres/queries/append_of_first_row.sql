-- The append, with its seal, of the first event that is stored in a row, after append $1.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, s.name, a.seal
FROM es_appends a JOIN es_streams s USING (stream_id)
WHERE a.seq > $1
  AND EXISTS (SELECT FROM es_events e WHERE e.stream_id = a.stream_id AND e.version = a.first_version)
ORDER BY a.seq LIMIT 1
