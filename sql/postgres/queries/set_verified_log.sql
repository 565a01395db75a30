INSERT INTO verified_log VALUES (1, $1, $2, $3)
ON CONFLICT (id) DO UPDATE SET seq = EXCLUDED.seq, position = EXCLUDED.position, seal = EXCLUDED.seal
