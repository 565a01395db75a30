-- The whole schema as it is today, to read; a store is made by the steps, and a test proves that they add up to this.

-- One row a stream; a run is a stream.
CREATE TABLE es_streams (
    stream_id INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    version   INTEGER NOT NULL,          -- of its last event
    tail_hash BLOB    NOT NULL           -- of its last event
) STRICT;

-- The events, in the order of all of them: the position is the row's own key, so that an append is always at the end
-- of the tree and needs no second one. A stream is found through its appends.
CREATE TABLE es_events (
    position       INTEGER PRIMARY KEY,
    stream_id      INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        TEXT    NOT NULL,     -- JSON, byte for byte as it was hashed
    hash           BLOB    NOT NULL
) STRICT;

-- One row an append, in commit order without a gap.
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

-- The end of the log.
CREATE TABLE es_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seal     BLOB    NOT NULL
) STRICT;

-- Facts are never edited.
CREATE TRIGGER es_events_no_update BEFORE UPDATE ON es_events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER es_events_no_delete BEFORE DELETE ON es_events
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

-- The input of each run, whole, once for each content.
CREATE TABLE snapshots (
    digest      TEXT    NOT NULL PRIMARY KEY, -- BLAKE3 of the canonical form, hexadecimal
    byte_count  INTEGER NOT NULL,             -- of the canonical form
    stored_hash BLOB    NOT NULL,             -- BLAKE3 of the compressed form
    compressed  BLOB    NOT NULL              -- zstd
) STRICT;

-- Whose rows are staged and whose are shown, and the stream version that they reach up to.
CREATE TABLE projection_state (
    slot          TEXT    NOT NULL PRIMARY KEY CHECK (slot IN ('staged', 'shown')),
    run_id        TEXT    NOT NULL,
    up_to_version INTEGER NOT NULL
) STRICT;

-- The tables of the staging area: each stands beside the shown one as next_<name> until it takes its place.
CREATE TABLE staged_tables (
    name            TEXT    NOT NULL PRIMARY KEY,
    keeps_every_run INTEGER NOT NULL CHECK (keeps_every_run IN (0, 1))
) STRICT;

-- Which events of a run concern which loan and trade, so that a story is told without reading the whole stream.

-- One row a run that has an index.
CREATE TABLE event_indexes (
    stream_id         INTEGER PRIMARY KEY, -- the run's
    projector_version INTEGER NOT NULL,    -- that made it; another one's is not read
    up_to_version     INTEGER NOT NULL     -- of the stream
) STRICT;

-- One row a subject. It is found by all three columns and has nothing but the list, so that the key is the table.
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

-- One active run a tenant (BR-8).
CREATE UNIQUE INDEX one_active_run ON runs (is_over) WHERE is_over = 0;

INSERT INTO es_head (id, seq, position, seal) VALUES (1, 0, 0,
    x'5e116b119857f4cea3a914e02eeb2df75bf5f91cd53b079980c8e6118cc2fdc9'); -- the seal that the first append links to

-- How far each subscriber has come that keeps its position here. It is no part of the log: who loses it begins again.
CREATE TABLE subscribers (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL -- global, of the last event that it is done with
) STRICT;
