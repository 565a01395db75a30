SELECT run_id, status, requested_at, worker, lease_expires_at, cancel_requested_by,
    EXISTS (SELECT 1 FROM scenarios s WHERE s.run_id = runs.run_id)
FROM runs
WHERE (requested_at, run_id) < (?1, ?2)
    AND (?4 IS NULL OR ?4 = EXISTS (SELECT 1 FROM scenarios s WHERE s.run_id = runs.run_id))
ORDER BY requested_at DESC, run_id DESC LIMIT ?3
