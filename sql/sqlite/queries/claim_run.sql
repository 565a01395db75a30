UPDATE runs SET worker = ?2, lease_expires_at = ?3, lease_token = ?4, worker_locked = ?5 WHERE run_id = ?1
