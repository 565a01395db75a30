-- One row if this lease is the present lease of the run. Read in the writing transaction, which
-- holds the write lock.
SELECT 1 FROM runs WHERE run_id = ?1 AND lease_token = ?2 AND is_over = 0
