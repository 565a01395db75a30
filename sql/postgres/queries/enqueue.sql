-- Nothing where the run is there already, or another one is active (the unique index).
INSERT INTO runs (run_id, status, requested_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
