SELECT run_id, status, requested_at, worker, lease_expires_at, cancel_requested_by FROM runs
WHERE (requested_at, run_id) < ($1, $2)
ORDER BY requested_at DESC, run_id DESC LIMIT $3
