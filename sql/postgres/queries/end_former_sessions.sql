-- Ends the sessions that hold what the worker of a run needs: its stream, the end of the log, or
-- the staging area. They belong to a worker that stalls during a transaction, which no time limit
-- ends while the server waits for rows, or to another client, which retries its call.
SELECT pg_terminate_backend(l.pid)
FROM pg_locks l
WHERE l.granted AND l.pid <> pg_backend_pid()
  AND (l.locktype = 'transactionid'
       AND l.transactionid IN (SELECT xmax FROM es_streams WHERE name = $1 UNION ALL SELECT xmax FROM es_head)
       OR l.locktype = 'advisory' AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (l.classid::BIGINT << 32) + l.objid::BIGINT = $2)
