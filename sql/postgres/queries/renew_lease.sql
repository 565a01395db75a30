UPDATE runs SET lease_expires_at = $3 WHERE run_id = $1 AND lease_token = $2 AND NOT is_over
RETURNING cancel_requested_by
