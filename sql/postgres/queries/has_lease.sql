-- One row if this lease is the present lease of the run. Takes no lock and waits for none.
SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND NOT is_over
