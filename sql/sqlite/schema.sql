-- The present schema, for readers. The steps create a store; a test proves that they add up to
-- this file. SQLite stores the comments inside a statement with the schema, and `verify` compares
-- them, so they must never change.

-- One row per stream. A run is a stream.
CREATE TABLE es_streams (
    stream_id INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    version   INTEGER NOT NULL,          -- of its last event
    tail_hash BLOB    NOT NULL           -- of its last event
) STRICT;

-- One row per event of a store of 0.1.0 that `powerfill migrate` has not moved into blocks, in global
-- order; empty in every other store.
CREATE TABLE es_events (
    position       INTEGER PRIMARY KEY,
    stream_id      INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        TEXT    NOT NULL,     -- JSON, byte for byte as it was hashed
    hash           BLOB    NOT NULL
) STRICT;

-- One row per block: consecutive events of one append.
CREATE TABLE es_event_blocks (
    stream_id     INTEGER NOT NULL,
    first_version INTEGER NOT NULL,
    event_count   INTEGER NOT NULL,
    event_types   TEXT    NOT NULL, -- JSON: [[type, schema version, number of events], …]
    hash_before   BLOB    NOT NULL, -- of the event before the block; of the stream's name for the first
    hash_after    BLOB    NOT NULL, -- of the last event
    event_checks  BLOB    NOT NULL, -- the first 2 bytes of each event's hash
    codec         TEXT    NOT NULL, -- of the body
    byte_count    INTEGER NOT NULL, -- of the uncompressed body
    stored_hash   BLOB    NOT NULL, -- BLAKE3 of the body as stored
    body          BLOB    NOT NULL, -- one line per event: type, schema version, payload
    PRIMARY KEY (stream_id, first_version)
) STRICT;

-- One row per append, in commit order without gaps.
CREATE TABLE es_appends (
    seq            INTEGER PRIMARY KEY,
    first_position INTEGER NOT NULL UNIQUE,   -- readers in global order start here
    stream_id      INTEGER NOT NULL,
    first_version  INTEGER NOT NULL,
    event_count    INTEGER NOT NULL,
    append_id      BLOB    NOT NULL UNIQUE,   -- makes a retry recognisable
    tenant_id      TEXT    NOT NULL,
    actor          TEXT    NOT NULL,
    recorded_at    INTEGER NOT NULL,          -- microseconds since 1970, UTC
    causation_id   BLOB,
    correlation_id BLOB,
    seal           BLOB    NOT NULL,          -- over the seal before and everything in this row
    UNIQUE (stream_id, first_version)         -- readers of a stream start here
) STRICT;

-- The end of the log, in one row.
CREATE TABLE es_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seal     BLOB    NOT NULL
) STRICT;

-- Triggers refuse to edit what is recorded.
CREATE TRIGGER es_events_no_update BEFORE UPDATE ON es_events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER es_events_no_delete BEFORE DELETE ON es_events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER es_event_blocks_no_update BEFORE UPDATE ON es_event_blocks
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER es_event_blocks_no_delete BEFORE DELETE ON es_event_blocks
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER es_appends_no_update BEFORE UPDATE ON es_appends
BEGIN SELECT RAISE(ABORT, 'appends are append-only'); END;
CREATE TRIGGER es_appends_no_delete BEFORE DELETE ON es_appends
BEGIN SELECT RAISE(ABORT, 'appends are append-only'); END;
CREATE TRIGGER es_streams_no_delete BEFORE DELETE ON es_streams
BEGIN SELECT RAISE(ABORT, 'streams are never deleted'); END;
CREATE TRIGGER es_streams_forward BEFORE UPDATE ON es_streams
WHEN NEW.stream_id <> OLD.stream_id OR NEW.name <> OLD.name OR NEW.version <= OLD.version
BEGIN SELECT RAISE(ABORT, 'a stream only grows'); END;
CREATE TRIGGER es_head_no_delete BEFORE DELETE ON es_head
BEGIN SELECT RAISE(ABORT, 'the log is never cut'); END;
CREATE TRIGGER es_head_forward BEFORE UPDATE ON es_head
WHEN NEW.seq <> OLD.seq + 1 OR NEW.position <= OLD.position
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

-- The blocks with their places in the log, for people.
CREATE VIEW event_blocks AS
SELECT a.first_position + b.first_version - a.first_version AS first_position,
       a.first_position + b.first_version - a.first_version + b.event_count - 1 AS last_position,
       s.name AS stream, b.first_version, b.first_version + b.event_count - 1 AS last_version,
       b.event_count, b.event_types, a.seq AS append_seq, a.actor,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.recorded_at / 1000000.0, 'unixepoch') AS recorded_at,
       b.codec, b.byte_count, length(b.body) AS stored_bytes, b.body
FROM es_appends a
JOIN es_streams s USING (stream_id)
JOIN es_event_blocks b ON b.stream_id = a.stream_id AND b.first_version >= a.first_version
                      AND b.first_version < a.first_version + a.event_count;

-- The captured input of runs, one row per content.
CREATE TABLE snapshots (
    digest      TEXT    NOT NULL PRIMARY KEY, -- BLAKE3 of the canonical form, hexadecimal
    byte_count  INTEGER NOT NULL,             -- of the canonical form
    stored_hash BLOB    NOT NULL,             -- BLAKE3 of the compressed form
    compressed  BLOB    NOT NULL              -- zstd
) STRICT;

-- The runs whose output rows are staged and shown, and the last version that the rows include.
CREATE TABLE projection_state (
    slot          TEXT    NOT NULL PRIMARY KEY CHECK (slot IN ('staged', 'shown')),
    run_id        TEXT    NOT NULL,
    up_to_version INTEGER NOT NULL
) STRICT;

-- The staged tables. Each is next_<name> until it replaces the shown table.
CREATE TABLE staged_tables (
    name            TEXT    NOT NULL PRIMARY KEY,
    keeps_every_run INTEGER NOT NULL CHECK (keeps_every_run IN (0, 1))
) STRICT;

-- The event index: which events of a run concern a loan or a trade. It spares reading the whole
-- stream to explain one of them.

-- One row per run that has an index.
CREATE TABLE event_indexes (
    stream_id         INTEGER PRIMARY KEY, -- the run's
    projector_version INTEGER NOT NULL,    -- that made it; another one's is not read
    up_to_version     INTEGER NOT NULL     -- of the stream
) STRICT;

-- One row per subject. Lookups use all three columns of the key, and the only other column is the
-- list, so the table is stored in its key.
CREATE TABLE event_index_entries (
    stream_id INTEGER NOT NULL,
    subject   TEXT    NOT NULL, -- what is asked of what: fill, loan, place, run or trade
    name      TEXT    NOT NULL, -- the loan's or the trade's id as it compares; empty for the run
    versions  BLOB    NOT NULL, -- of its events, rising: differences, seven bits a byte, the lowest first
    PRIMARY KEY (stream_id, subject, name)
) STRICT, WITHOUT ROWID;

-- The queue of runs.
CREATE TABLE runs (
    run_id              TEXT    NOT NULL PRIMARY KEY,
    status              TEXT    NOT NULL,
    requested_at        INTEGER NOT NULL,           -- microseconds since 1970, UTC, as all moments here
    worker              TEXT,
    lease_expires_at    INTEGER,
    lease_token         INTEGER NOT NULL DEFAULT 0, -- grows with every claim
    worker_locked       INTEGER NOT NULL DEFAULT 0, -- whether that worker holds the lock file beside this database
    cancel_requested_by TEXT,
    is_over             INTEGER NOT NULL
        GENERATED ALWAYS AS (status IN ('Complete', 'Failed', 'Cancelled')) VIRTUAL
) STRICT;

-- At most one active run per tenant (BR-8).
CREATE UNIQUE INDEX one_active_run ON runs (is_over) WHERE is_over = 0;

-- For pages of the list of runs, which begins with the newest, and for the newest run and the number
-- of runs per status.
CREATE INDEX runs_by_time ON runs (requested_at, run_id);
CREATE INDEX runs_by_status ON runs (status, requested_at, run_id);

-- The runs that are scenarios: on edited input, and never official.
CREATE TABLE scenarios (
    run_id TEXT NOT NULL PRIMARY KEY
) STRICT;

INSERT INTO es_head (id, seq, position, seal) VALUES (1, 0, 0,
    x'5e116b119857f4cea3a914e02eeb2df75bf5f91cd53b079980c8e6118cc2fdc9'); -- the seal before the first append

-- Positions of the subscribers that store them here. They are not part of the log: a subscriber
-- without a position starts from the beginning.
CREATE TABLE subscribers (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL -- global, of the last event that it is done with
) STRICT;

-- The end of the log at the last verification of the whole log, in one row. It is not part of the
-- log: without it, the next verification begins at the first event.
CREATE TABLE verified_log (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      INTEGER NOT NULL, -- of the last append that was verified
    position INTEGER NOT NULL, -- of its last event
    seal     BLOB    NOT NULL  -- of this append
) STRICT;

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
