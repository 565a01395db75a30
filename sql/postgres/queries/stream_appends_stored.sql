-- The appends of one stream, each with its seal and the previous seal, for verification.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, a.seal, b.seal
FROM es_appends a LEFT JOIN es_appends b ON b.seq = a.seq - 1
WHERE a.stream_id = $1 ORDER BY a.first_version
