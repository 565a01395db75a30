-- The append, with its seal, of the first event that is stored in a row.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, s.name, a.seal
FROM es_appends a JOIN es_streams s USING (stream_id)
WHERE a.first_position <= (SELECT min(position) FROM es_events)
ORDER BY a.first_position DESC LIMIT 1
