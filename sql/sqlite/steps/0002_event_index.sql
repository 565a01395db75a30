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
