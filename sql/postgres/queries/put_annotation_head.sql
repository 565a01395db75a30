INSERT INTO run_headlines (run_id, name, annotations) VALUES ($1, $2, $3)
ON CONFLICT (run_id) DO UPDATE SET name = excluded.name, annotations = excluded.annotations
