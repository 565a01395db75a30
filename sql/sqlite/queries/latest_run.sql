SELECT run_id, status, requested_at, worker, lease_expires_at, cancel_requested_by,
    EXISTS (SELECT 1 FROM scenarios s WHERE s.run_id = runs.run_id)
FROM runs
WHERE status = ?1 AND NOT EXISTS (SELECT 1 FROM scenarios s WHERE s.run_id = runs.run_id)
ORDER BY requested_at DESC, run_id DESC LIMIT 1
