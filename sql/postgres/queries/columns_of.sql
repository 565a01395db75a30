-- The columns of an output table in the database; no rows if the table does not exist.
SELECT a.attname::TEXT, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a
WHERE a.attrelid = to_regclass('powerfill.' || quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attname NOT IN ('row_no', 'run_id')
ORDER BY a.attnum
