-- One row if this lease is the present lease of the run. Locks the row until the end of the
-- transaction: a claim skips it, and a renewal waits.
SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND NOT is_over FOR SHARE
