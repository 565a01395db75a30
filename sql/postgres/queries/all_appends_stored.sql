-- Every append with its seal, for verification.
SELECT seq, first_position, stream_id, first_version, event_count, append_id, tenant_id, actor, recorded_at,
       causation_id, correlation_id, seal
FROM es_appends ORDER BY seq
