INSERT INTO es_streams (stream_id, name, version, tail_hash) VALUES ($1, $2, $3, $4)
ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, tail_hash = excluded.tail_hash
