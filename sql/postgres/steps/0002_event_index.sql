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
