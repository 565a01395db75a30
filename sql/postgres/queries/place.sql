-- Whether PowerFill's schema is there, whether anything is in it, and whether that is a store's.
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'powerfill'),
       to_regclass('powerfill.schema_steps') IS NOT NULL
