-- For pages of the list of runs, which begins with the newest, and for the newest run and the number
-- of runs per status.
CREATE INDEX runs_by_time ON runs (requested_at, run_id);
CREATE INDEX runs_by_status ON runs (status, requested_at, run_id);
