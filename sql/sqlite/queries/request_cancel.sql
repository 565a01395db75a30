-- The first request stays recorded.
UPDATE runs SET cancel_requested_by = coalesce(cancel_requested_by, ?2) WHERE run_id = ?1 AND is_over = 0
