-- Adds an ended run of another store to the history. A second insert changes nothing.
INSERT INTO runs (run_id, status, requested_at, cancel_requested_by) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (run_id) DO NOTHING
