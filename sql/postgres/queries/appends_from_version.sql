-- Appends of a stream in order, from the one that contains version $2. None starts after version $3.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, $4::TEXT
FROM es_appends a
WHERE a.stream_id = $1
  AND a.first_version >= (SELECT b.first_version FROM es_appends b
                          WHERE b.stream_id = $1 AND b.first_version <= $2
                          ORDER BY b.first_version DESC LIMIT 1)
  AND a.first_version <= $3
ORDER BY a.first_version
