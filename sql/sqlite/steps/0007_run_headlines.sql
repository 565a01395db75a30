-- What the list of runs says about each run, derived from its events when it ends, and from its
-- annotations when they are written. `powerfill rebuild` derives both again, and `powerfill migrate`
-- fills in what is absent. A run without a row is read from its first and its last event.
CREATE TABLE run_headlines (
    run_id      TEXT NOT NULL PRIMARY KEY,
    headline    TEXT, -- JSON: of the events
    name        TEXT, -- upper-cased, as names compare
    annotations TEXT  -- JSON: the name as it was written, and the notes
) STRICT;
CREATE INDEX run_headlines_by_name ON run_headlines (name, run_id);
