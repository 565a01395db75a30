-- Whether this lease is the run's. It waits for nobody and holds nobody up.
SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND NOT is_over
