-- Events are stored in compressed blocks. es_events has only the events of a store of 0.1.0 that
-- `powerfill migrate` has not moved into blocks.

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

CREATE TRIGGER es_event_blocks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es_event_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

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
