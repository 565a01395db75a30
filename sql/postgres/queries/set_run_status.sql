-- An ended run ($4) releases its worker.
UPDATE runs SET status = $3,
                worker = CASE WHEN $4 THEN NULL ELSE worker END,
                lease_expires_at = CASE WHEN $4 THEN NULL ELSE lease_expires_at END
WHERE run_id = $1 AND lease_token = $2 AND NOT is_over
