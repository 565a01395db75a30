-- Nothing where the run is there already, another one is active (the unique index), or the store is another tenant's.
INSERT INTO runs (run_id, status, requested_at)
SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM es_appends WHERE seq = 1 AND tenant_id <> $4)
ON CONFLICT DO NOTHING
