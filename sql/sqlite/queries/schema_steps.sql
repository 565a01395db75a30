-- The steps that were applied to the store.
CREATE TABLE schema_steps (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL
) STRICT;
