-- The steps that were applied to the store.
CREATE SCHEMA IF NOT EXISTS powerfill;
CREATE TABLE powerfill.schema_steps (
    number INTEGER PRIMARY KEY,
    name   TEXT    NOT NULL
);
