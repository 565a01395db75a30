-- The number of relations in the schema powerfill, and whether it contains a store.
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'powerfill'),
       to_regclass('powerfill.schema_steps') IS NOT NULL
