INSERT INTO event_indexes (stream_id, projector_version, up_to_version) VALUES (?1, ?2, ?3)
ON CONFLICT (stream_id) DO UPDATE SET projector_version = excluded.projector_version,
                                      up_to_version = excluded.up_to_version
