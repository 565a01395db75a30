INSERT INTO es_appends (seq, first_position, stream_id, first_version, event_count, append_id, tenant_id, actor,
                        recorded_at, causation_id, correlation_id, seal)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
