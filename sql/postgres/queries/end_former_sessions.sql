-- Ends the sessions that hold what a run's worker needs: its stream, the end of the log, the staging area. They are those
-- of a worker that stands still in the middle of a transaction, which no time limit ends while the server waits for its
-- rows; or of somebody else, who makes the call again.
SELECT pg_terminate_backend(l.pid)
FROM pg_locks l
WHERE l.granted AND l.pid <> pg_backend_pid()
  AND (l.locktype = 'transactionid'
       AND l.transactionid IN (SELECT xmax FROM es_streams WHERE name = $1 UNION ALL SELECT xmax FROM es_head)
       OR l.locktype = 'advisory' AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (l.classid::BIGINT << 32) + l.objid::BIGINT = $2)
