-- Claims the oldest run without a worker or with an expired lease. Skips a run that another worker
-- is claiming.
UPDATE runs SET worker = $1, lease_expires_at = $3, lease_token = lease_token + 1
WHERE run_id = (SELECT run_id FROM runs
                WHERE NOT is_over AND (worker IS NULL OR lease_expires_at IS NULL OR lease_expires_at <= $2)
                ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING run_id, lease_token
