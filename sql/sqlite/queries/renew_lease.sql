UPDATE runs SET lease_expires_at = ?3, worker_locked = ?4
WHERE run_id = ?1 AND lease_token = ?2 AND is_over = 0
RETURNING cancel_requested_by
