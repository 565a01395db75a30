-- The schema of the store according to the catalogs, to compare with shape.txt: tables, columns,
-- constraints, indexes, triggers, rules, policies, and functions.
WITH tables AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'powerfill' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
),
-- Publishing drops output tables at any time, and the definition of a constraint cannot be read any
-- more once another transaction has dropped it.
own_tables AS (
    SELECT oid, relname FROM tables WHERE relname !~ '^(next_|former_)?pfill_'
)
SELECT 'table' AS kind, relname::TEXT AS name,
       concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity) AS definition
FROM tables
UNION ALL
SELECT 'column', t.relname || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                 nullif(a.attgenerated::TEXT, ''), pg_get_expr(d.adbin, d.adrelid))
FROM own_tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT 'constraint', t.relname || '.' || c.conname, concat_ws(' ', c.convalidated, pg_get_constraintdef(c.oid))
FROM own_tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype <> 'n'
UNION ALL
SELECT 'index', t.relname || '.' || c.relname, concat_ws(' ', i.indisvalid, pg_get_indexdef(i.indexrelid))
FROM own_tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
UNION ALL
SELECT 'trigger', t.relname || '.' || g.tgname,
       concat_ws(' ', g.tgtype, g.tgenabled, g.tgqual IS NULL, g.tgattr::TEXT, n.nspname || '.' || p.proname)
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
     JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL
SELECT 'rule', t.relname || '.' || r.rulename, r.ev_type::TEXT
FROM tables t JOIN pg_rewrite r ON r.ev_class = t.oid AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', t.relname || '.' || p.polname, p.polcmd::TEXT
FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
UNION ALL
SELECT 'function', p.proname::TEXT,
       concat_ws(' ', p.prosecdef, p.proconfig::TEXT, regexp_replace(p.prosrc, '\s+', ' ', 'g'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'powerfill'
ORDER BY 1, 2
