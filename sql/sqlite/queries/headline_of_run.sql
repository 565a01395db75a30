SELECT headline, annotations FROM run_headlines WHERE run_id = ?1
