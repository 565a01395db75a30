-- The whole schema as it is today, to read; a store is made by the steps, and a test proves that they add up to this.

-- One row a stream; a run is a stream.
CREATE TABLE es_streams (
    stream_id BIGINT PRIMARY KEY,         -- dense, in the order in which the streams began
    name      TEXT   NOT NULL UNIQUE,
    version   BIGINT NOT NULL,            -- of its last event
    tail_hash BYTEA  NOT NULL             -- of its last event
) WITH (fillfactor = 70);                 -- room for the next version beside this one

-- The events. They are written before their append has its place in the log, so that they carry no global position:
-- it follows from the append's first position and the version.
CREATE TABLE es_events (
    stream_id      BIGINT  NOT NULL,
    version        BIGINT  NOT NULL,
    event_type     TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        JSON    NOT NULL,      -- not JSONB, which orders keys and rewrites numbers: kept byte for byte as hashed
    hash           BYTEA   NOT NULL,
    PRIMARY KEY (stream_id, version)      -- readers come by stream and version, also those in global order
);

-- One row an append, in commit order without a gap.
CREATE TABLE es_appends (
    seq            BIGINT      PRIMARY KEY,
    first_position BIGINT      NOT NULL UNIQUE,   -- readers in global order start here
    stream_id      BIGINT      NOT NULL,
    first_version  BIGINT      NOT NULL,
    event_count    BIGINT      NOT NULL,
    append_id      UUID        NOT NULL UNIQUE,   -- makes a retry recognisable
    tenant_id      TEXT        NOT NULL,
    actor          TEXT        NOT NULL,
    recorded_at    TIMESTAMPTZ NOT NULL,
    causation_id   UUID,
    correlation_id UUID,
    seal           BYTEA       NOT NULL,          -- over the seal before and everything in this row
    UNIQUE (stream_id, first_version)             -- readers of a stream start here
);

-- The end of the log. Taken last in an append: whoever holds this row gives out the next place.
CREATE TABLE es_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      BIGINT  NOT NULL,
    position BIGINT  NOT NULL,
    seal     BYTEA   NOT NULL
) WITH (fillfactor = 10);                         -- it is updated by every append, and stays in one page

-- The input of each run, whole, once for each content.
CREATE TABLE snapshots (
    digest      TEXT   PRIMARY KEY,               -- BLAKE3 of the canonical form, hexadecimal
    byte_count  BIGINT NOT NULL,                  -- of the canonical form
    stored_hash BYTEA  NOT NULL,                  -- BLAKE3 of the compressed form
    compressed  BYTEA  NOT NULL                   -- zstd
);
-- What is compressed is not compressed again.
ALTER TABLE snapshots ALTER COLUMN compressed SET STORAGE EXTERNAL;

-- Facts are never edited.
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

-- Whose rows are staged and whose are shown, and the stream version that they reach up to.
CREATE TABLE projection_state (
    slot          TEXT   PRIMARY KEY CHECK (slot IN ('staged', 'shown')),
    run_id        UUID   NOT NULL,
    up_to_version BIGINT NOT NULL,
    stages        BIGINT NOT NULL DEFAULT 0       -- how many parts were staged: tells whether one that was cut off is there
);

-- The tables of the staging area: each stands beside the shown one as next_<name> until it takes its place.
CREATE TABLE staged_tables (
    name            TEXT    PRIMARY KEY,
    keeps_every_run BOOLEAN NOT NULL,
    row_count       BIGINT  NOT NULL DEFAULT 0
);

-- Which events of a run concern which loan and trade, so that a story is told without reading the whole stream.

-- One row a run that has an index.
CREATE TABLE event_indexes (
    stream_id         BIGINT  PRIMARY KEY,        -- the run's
    projector_version INTEGER NOT NULL,           -- that made it; another one's is not read
    up_to_version     BIGINT  NOT NULL            -- of the stream
);

-- One row a subject. A name is bytes: they order as names compare, and may be any text, also one with a NUL.
CREATE TABLE event_index_entries (
    stream_id BIGINT NOT NULL,
    subject   TEXT   COLLATE "C" NOT NULL, -- what is asked of what: fill, loan, place, run or trade
    name      BYTEA  NOT NULL,             -- the loan's or the trade's id as it compares, in UTF-8; empty for the run
    versions  BYTEA  NOT NULL,             -- of its events, rising: differences, seven bits a byte, the lowest first
    PRIMARY KEY (stream_id, subject, name)
);

-- The queue of runs.
CREATE TABLE runs (
    run_id              UUID        PRIMARY KEY,
    status              TEXT        NOT NULL,
    requested_at        TIMESTAMPTZ NOT NULL,
    worker              TEXT,
    lease_expires_at    TIMESTAMPTZ,
    lease_token         BIGINT      NOT NULL DEFAULT 0,  -- grows with every claim
    cancel_requested_by TEXT,
    is_over             BOOLEAN     NOT NULL
        GENERATED ALWAYS AS (status IN ('Complete', 'Failed', 'Cancelled')) STORED
);

-- One active run a tenant (BR-8).
CREATE UNIQUE INDEX one_active_run ON runs (is_over) WHERE NOT is_over;

INSERT INTO es_head (id, seq, position, seal) VALUES (1, 0, 0,
    '\x5e116b119857f4cea3a914e02eeb2df75bf5f91cd53b079980c8e6118cc2fdc9'); -- the seal that the first append links to

-- How far each subscriber has come that keeps its position here. It is no part of the log: who loses it begins again.
CREATE TABLE subscribers (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL -- global, of the last event that it is done with
);
