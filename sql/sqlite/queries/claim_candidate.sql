-- The tenant's active run, of which there is at most one.
SELECT run_id, worker, lease_expires_at, worker_locked, lease_token FROM runs WHERE is_over = 0
