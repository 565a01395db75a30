SELECT run_id FROM run_headlines WHERE name = ?1 ORDER BY run_id LIMIT 2
