-- An ended run releases its worker.
UPDATE runs SET status = ?3, worker = NULL, lease_expires_at = NULL, worker_locked = 0
WHERE run_id = ?1 AND lease_token = ?2 AND is_over = 0
