-- Whether this lease is the run's: read in the transaction that writes, which has the write lock.
SELECT 1 FROM runs WHERE run_id = ?1 AND lease_token = ?2 AND is_over = 0
