-- The runs that are scenarios: on edited input, and never official.
CREATE TABLE scenarios (
    run_id UUID PRIMARY KEY
);
