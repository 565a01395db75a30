-- How far each subscriber has come that keeps its position here. It is no part of the log: who loses it begins again.
CREATE TABLE subscribers (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL -- global, of the last event that it is done with
);
