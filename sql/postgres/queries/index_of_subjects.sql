-- What made the index of a stream, how far it reaches, and the events of subjects, in the order in which these are asked
-- for: one statement, so that all of it is of one moment.
SELECT i.projector_version, i.up_to_version, e.versions
FROM es_streams s JOIN event_indexes i USING (stream_id)
     LEFT JOIN unnest($2::TEXT[], $3::BYTEA[]) WITH ORDINALITY AS q (subject, name, n) ON TRUE
     LEFT JOIN event_index_entries e
            ON e.stream_id = s.stream_id AND e.subject = q.subject COLLATE "C" AND e.name = q.name
WHERE s.name = $1
ORDER BY q.n
