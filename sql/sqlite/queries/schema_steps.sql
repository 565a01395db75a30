-- Which steps the store has seen.
CREATE TABLE schema_steps (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL
) STRICT;
