-- Appends with their seals after a sequence number, in commit order, to copy the log.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, s.name, a.seal
FROM es_appends a JOIN es_streams s USING (stream_id)
WHERE a.seq > ?1
ORDER BY a.seq LIMIT ?2
