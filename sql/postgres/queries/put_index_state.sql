INSERT INTO event_indexes (stream_id, projector_version, up_to_version)
SELECT stream_id, $2, $3 FROM es_streams WHERE name = $1
ON CONFLICT (stream_id) DO UPDATE SET projector_version = excluded.projector_version,
                                      up_to_version = excluded.up_to_version
RETURNING stream_id
