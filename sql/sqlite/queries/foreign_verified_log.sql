-- Whether the end of the log at the last verification is no append of the log.
SELECT 1 FROM verified_log v LEFT JOIN es_appends a ON a.seq = v.seq AND a.seal = v.seal
WHERE a.seq IS NULL OR v.id <> 1 OR v.position <> a.first_position + a.event_count - 1
