-- Inserts no row if the run exists, if another run is active (unique index), or if the store belongs
-- to another tenant.
WITH queued AS (
    INSERT INTO runs (run_id, status, requested_at)
    SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM es_appends WHERE seq = 1 AND tenant_id <> $4)
    ON CONFLICT DO NOTHING
    RETURNING run_id
), marked AS (
    INSERT INTO scenarios (run_id) SELECT run_id FROM queued WHERE $5
)
SELECT run_id FROM queued
