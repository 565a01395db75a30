-- The present schema, for readers. The steps create a store; a test proves that they add up to
-- this file.

-- One row per stream. A run is a stream.
CREATE TABLE es_streams (
    stream_id BIGINT PRIMARY KEY,         -- dense, in the order of the first events
    name      TEXT   NOT NULL UNIQUE,
    version   BIGINT NOT NULL,            -- of the last event
    tail_hash BYTEA  NOT NULL             -- of the last event
) WITH (fillfactor = 70);                 -- leaves room for the next version of the row

-- One row per event of a store of 0.1.0 that `powerfill migrate` has not moved into blocks; empty in
-- every other store. The global position follows from the append's first position and the version.
CREATE TABLE es_events (
    stream_id      BIGINT  NOT NULL,
    version        BIGINT  NOT NULL,
    event_type     TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        JSON    NOT NULL,      -- the hashed bytes; JSONB would reorder keys and rewrite numbers
    hash           BYTEA   NOT NULL,
    PRIMARY KEY (stream_id, version)      -- all reads use stream and version, also in global order
);

-- One row per block: consecutive events of one append. Blocks are written before their append
-- gets its place in the log, so they have no global position.
CREATE TABLE es_event_blocks (
    stream_id     BIGINT NOT NULL,
    first_version BIGINT NOT NULL,
    event_count   BIGINT NOT NULL,
    event_types   TEXT   NOT NULL, -- JSON: [[type, schema version, number of events], …]
    hash_before   BYTEA  NOT NULL, -- of the event before the block; of the stream's name for the first
    hash_after    BYTEA  NOT NULL, -- of the last event
    event_checks  BYTEA  NOT NULL, -- the first 2 bytes of each event's hash
    codec         TEXT   NOT NULL, -- of the body
    byte_count    BIGINT NOT NULL, -- of the uncompressed body
    stored_hash   BYTEA  NOT NULL, -- BLAKE3 of the body as stored
    body          BYTEA  NOT NULL, -- one line per event: type, schema version, payload
    PRIMARY KEY (stream_id, first_version)
);
-- The values cannot be compressed further.
ALTER TABLE es_event_blocks ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE es_event_blocks ALTER COLUMN event_checks SET STORAGE EXTERNAL;

-- One row per append, in commit order without gaps.
CREATE TABLE es_appends (
    seq            BIGINT      PRIMARY KEY,
    first_position BIGINT      NOT NULL UNIQUE,   -- global position of the first event
    stream_id      BIGINT      NOT NULL,
    first_version  BIGINT      NOT NULL,
    event_count    BIGINT      NOT NULL,
    append_id      UUID        NOT NULL UNIQUE,   -- identifies a retry
    tenant_id      TEXT        NOT NULL,
    actor          TEXT        NOT NULL,
    recorded_at    TIMESTAMPTZ NOT NULL,
    causation_id   UUID,
    correlation_id UUID,
    seal           BYTEA       NOT NULL,          -- over the previous seal and everything in this row
    UNIQUE (stream_id, first_version)             -- reads of a stream start here
);

-- The end of the log, in one row. An append locks it last, and the holder of the lock assigns the
-- next place in the log.
CREATE TABLE es_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      BIGINT  NOT NULL,
    position BIGINT  NOT NULL,
    seal     BYTEA   NOT NULL
) WITH (fillfactor = 10);                         -- every append updates it; it stays in one page

-- The captured input of runs, one row per content.
CREATE TABLE snapshots (
    digest      TEXT   PRIMARY KEY,               -- BLAKE3 of the canonical form, hexadecimal
    byte_count  BIGINT NOT NULL,                  -- of the canonical form
    stored_hash BYTEA  NOT NULL,                  -- BLAKE3 of the compressed form
    compressed  BYTEA  NOT NULL                   -- zstd
);
-- The values are compressed already.
ALTER TABLE snapshots ALTER COLUMN compressed SET STORAGE EXTERNAL;

-- Triggers refuse to edit what is recorded.
CREATE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION streams_only_grow() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stream_id <> OLD.stream_id OR NEW.name <> OLD.name OR NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'a stream only grows' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION the_log_only_grows() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.seq <> OLD.seq + 1 OR NEW.position <= OLD.position THEN
        RAISE EXCEPTION 'the log only grows' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER es_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER es_event_blocks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es_event_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER es_appends_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es_appends
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER snapshots_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER es_streams_no_delete BEFORE DELETE OR TRUNCATE ON es_streams
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER es_streams_forward BEFORE UPDATE ON es_streams
    FOR EACH ROW EXECUTE FUNCTION streams_only_grow();
CREATE TRIGGER es_head_no_delete BEFORE DELETE OR TRUNCATE ON es_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER es_head_forward BEFORE UPDATE ON es_head
    FOR EACH ROW EXECUTE FUNCTION the_log_only_grows();

-- The blocks with their places in the log, for people.
CREATE VIEW event_blocks AS
SELECT a.first_position + b.first_version - a.first_version AS first_position,
       a.first_position + b.first_version - a.first_version + b.event_count - 1 AS last_position,
       s.name AS stream, b.first_version, b.first_version + b.event_count - 1 AS last_version,
       b.event_count, b.event_types, a.seq AS append_seq, a.actor, a.recorded_at,
       b.codec, b.byte_count, length(b.body) AS stored_bytes, b.body
FROM es_appends a
JOIN es_streams s USING (stream_id)
JOIN es_event_blocks b ON b.stream_id = a.stream_id AND b.first_version >= a.first_version
                      AND b.first_version < a.first_version + a.event_count;

-- The runs whose output rows are staged and shown.
CREATE TABLE projection_state (
    slot          TEXT   PRIMARY KEY CHECK (slot IN ('staged', 'shown')),
    run_id        UUID   NOT NULL,
    up_to_version BIGINT NOT NULL,                -- last version of the stream that the rows include
    stages        BIGINT NOT NULL DEFAULT 0       -- parts staged; shows whether an interrupted one arrived
);

-- The staged tables. Each is next_<name> until it replaces the shown table.
CREATE TABLE staged_tables (
    name            TEXT    PRIMARY KEY,
    keeps_every_run BOOLEAN NOT NULL,
    row_count       BIGINT  NOT NULL DEFAULT 0
);

-- The event index: which events of a run concern a loan or a trade. It spares reading the whole
-- stream to explain one of them.

-- One row per run that has an index.
CREATE TABLE event_indexes (
    stream_id         BIGINT  PRIMARY KEY,        -- of the run
    projector_version INTEGER NOT NULL,           -- the index of another version is not read
    up_to_version     BIGINT  NOT NULL            -- last version of the stream that the index includes
);

-- One row per subject. The name is BYTEA so that it sorts as names compare and can contain NUL.
CREATE TABLE event_index_entries (
    stream_id BIGINT NOT NULL,
    subject   TEXT   COLLATE "C" NOT NULL, -- fill, loan, place, run, or trade
    name      BYTEA  NOT NULL,             -- folded id of the loan or trade, in UTF-8; empty for the run
    versions  BYTEA  NOT NULL,             -- ascending, as differences: 7 bits per byte, lowest first
    PRIMARY KEY (stream_id, subject, name)
);

-- The queue of runs.
CREATE TABLE runs (
    run_id              UUID        PRIMARY KEY,
    status              TEXT        NOT NULL,
    requested_at        TIMESTAMPTZ NOT NULL,
    worker              TEXT,
    lease_expires_at    TIMESTAMPTZ,
    lease_token         BIGINT      NOT NULL DEFAULT 0,  -- increases with each claim
    cancel_requested_by TEXT,
    is_over             BOOLEAN     NOT NULL
        GENERATED ALWAYS AS (status IN ('Complete', 'Failed', 'Cancelled')) STORED
);

-- At most one active run per tenant (BR-8).
CREATE UNIQUE INDEX one_active_run ON runs (is_over) WHERE NOT is_over;

-- For pages of the list of runs, which begins with the newest, and for the newest run and the number
-- of runs per status.
CREATE INDEX runs_by_time ON runs (requested_at, run_id);
CREATE INDEX runs_by_status ON runs (status, requested_at, run_id);

-- The runs that are scenarios: on edited input, and never official.
CREATE TABLE scenarios (
    run_id UUID PRIMARY KEY
);

INSERT INTO es_head (id, seq, position, seal) VALUES (1, 0, 0,
    '\x5e116b119857f4cea3a914e02eeb2df75bf5f91cd53b079980c8e6118cc2fdc9'); -- the seal before the first append

-- Positions of the subscribers that store them here. They are not part of the log: a subscriber
-- without a position starts from the beginning.
CREATE TABLE subscribers (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL -- global position of the last handled event
);

-- The end of the log at the last verification of the whole log, in one row. It is not part of the
-- log: without it, the next verification begins at the first event.
CREATE TABLE verified_log (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      BIGINT  NOT NULL, -- of the last append that was verified
    position BIGINT  NOT NULL, -- of its last event
    seal     BYTEA   NOT NULL  -- of this append
);

-- What the list of runs says about each run, derived from its events when it ends, and from its
-- annotations when they are written. `powerfill rebuild` derives both again, and `powerfill migrate`
-- fills in what is absent. A run without a row is read from its first and its last event.
CREATE TABLE run_headlines (
    run_id      UUID NOT NULL PRIMARY KEY,
    headline    TEXT, -- JSON: of the events
    name        TEXT COLLATE "C", -- upper-cased, as names compare
    annotations TEXT  -- JSON: the name as it was written, and the notes
);
CREATE INDEX run_headlines_by_name ON run_headlines (name, run_id);
