-- Marks a run of the history as a scenario. A second insert changes nothing.
INSERT INTO scenarios (run_id) VALUES (?1) ON CONFLICT (run_id) DO NOTHING
