-- The projector version and the extent of a stream's event index, and the events of the requested
-- subjects, in the order of the request. One statement, so that all of it is from one moment.
SELECT i.projector_version, i.up_to_version, e.versions
FROM es_streams s JOIN event_indexes i USING (stream_id)
     LEFT JOIN unnest($2::TEXT[], $3::BYTEA[]) WITH ORDINALITY AS q (subject, name, n) ON TRUE
     LEFT JOIN event_index_entries e
            ON e.stream_id = s.stream_id AND e.subject = q.subject COLLATE "C" AND e.name = q.name
WHERE s.name = $1
ORDER BY q.n
