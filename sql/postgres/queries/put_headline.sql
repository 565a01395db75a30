INSERT INTO run_headlines (run_id, headline) VALUES ($1, $2)
ON CONFLICT (run_id) DO UPDATE SET headline = excluded.headline
