SELECT run_id, status, requested_at, worker, lease_expires_at, cancel_requested_by FROM runs
WHERE NOT is_over
