-- Appends of a stream in its order, from the one that holds a version.
SELECT a.seq, a.first_position, a.stream_id, a.first_version, a.event_count, a.append_id, a.tenant_id, a.actor,
       a.recorded_at, a.causation_id, a.correlation_id, s.name
FROM es_streams s CROSS JOIN es_appends a USING (stream_id)
WHERE s.name = ?1
  AND a.first_version >= (SELECT b.first_version FROM es_appends b
                          WHERE b.stream_id = s.stream_id AND b.first_version <= ?2
                          ORDER BY b.first_version DESC LIMIT 1)
ORDER BY a.first_version
