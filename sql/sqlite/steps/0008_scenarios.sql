-- The runs that are scenarios: on edited input, and never official.
CREATE TABLE scenarios (
    run_id TEXT NOT NULL PRIMARY KEY
) STRICT;
