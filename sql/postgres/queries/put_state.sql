INSERT INTO projection_state (slot, run_id, up_to_version) VALUES ($1, $2, $3)
ON CONFLICT (slot) DO UPDATE SET run_id = excluded.run_id, up_to_version = excluded.up_to_version,
                                 stages = projection_state.stages + 1
