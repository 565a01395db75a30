-- The end of the log at the last verification of the whole log, in one row. It is not part of the
-- log: without it, the next verification begins at the first event.
CREATE TABLE verified_log (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      INTEGER NOT NULL, -- of the last append that was verified
    position INTEGER NOT NULL, -- of its last event
    seal     BLOB    NOT NULL  -- of this append
) STRICT;
