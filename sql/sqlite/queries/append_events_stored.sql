-- The events of an append, to compare with those of a retry.
SELECT event_type, schema_version, payload FROM es_events
WHERE position BETWEEN ?1 AND ?2 ORDER BY position
