-- Appends in commit order, from the one that contains the position.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, s.name
FROM es_appends a JOIN es_streams s USING (stream_id)
WHERE a.seq >= (SELECT seq FROM es_appends WHERE first_position <= ?1 ORDER BY first_position DESC LIMIT 1)
ORDER BY a.seq
