SELECT run_id, status, requested_at, worker, lease_expires_at, cancel_requested_by FROM runs
WHERE status = $1 ORDER BY requested_at DESC, run_id DESC LIMIT 1
