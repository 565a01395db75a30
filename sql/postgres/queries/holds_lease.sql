-- Whether this lease is the run's. The row stays as it is until the transaction is over: who claims passes by, who renews
-- waits.
SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND NOT is_over FOR SHARE
