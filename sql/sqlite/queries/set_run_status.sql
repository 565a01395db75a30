UPDATE runs SET status = ?3 WHERE run_id = ?1 AND lease_token = ?2 AND is_over = 0
