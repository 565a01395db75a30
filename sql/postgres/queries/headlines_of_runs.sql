SELECT run_id, headline, annotations FROM run_headlines WHERE run_id = ANY($1)
