-- The first to ask is the one who cancelled.
UPDATE runs SET cancel_requested_by = coalesce(cancel_requested_by, $2) WHERE run_id = $1 AND NOT is_over
