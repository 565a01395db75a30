-- The active run of the tenant; there is at most one.
SELECT run_id, worker, lease_expires_at, worker_locked, lease_token FROM runs WHERE is_over = 0
