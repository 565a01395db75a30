-- Roles and rights of one tenant's database, run by whoever owns the store, after `powerfill migrate` and after each
-- later one: psql -d DATABASE -f roles.sql. Run twice, it changes nothing.
--
-- powerfill_app     what workers and services are: appends, stages, publishes; cannot edit or cut the log
-- powerfill_reader  reports and audits: reads everything, the output tables included
--
-- Neither may log in by itself; grant them to users: GRANT powerfill_app TO acme_worker. A user who makes output tables
-- should do so as the role (options=-c role=powerfill_app in the URL), so that each user may replace those of another.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'powerfill_app') THEN
        CREATE ROLE powerfill_app NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'powerfill_reader') THEN
        CREATE ROLE powerfill_reader NOLOGIN;
    END IF;
END $$;

REVOKE ALL ON SCHEMA powerfill FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA powerfill FROM PUBLIC;
REVOKE ALL ON powerfill.es_streams, powerfill.es_events, powerfill.es_appends, powerfill.es_head, powerfill.snapshots,
    powerfill.schema_steps FROM powerfill_app;

-- Output tables are made, renamed and dropped by the application, which owns them; nothing else in the schema is its own.
GRANT USAGE, CREATE ON SCHEMA powerfill TO powerfill_app;
GRANT SELECT ON powerfill.schema_steps TO powerfill_app;
GRANT SELECT, INSERT ON powerfill.es_events, powerfill.es_appends, powerfill.es_streams, powerfill.snapshots
    TO powerfill_app;
-- Only what an append moves on; the triggers let it move forward only.
GRANT UPDATE (version, tail_hash) ON powerfill.es_streams TO powerfill_app;
GRANT SELECT, UPDATE (seq, position, seal) ON powerfill.es_head TO powerfill_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON powerfill.projection_state, powerfill.staged_tables, powerfill.event_indexes,
    powerfill.event_index_entries TO powerfill_app;
GRANT SELECT, INSERT, UPDATE ON powerfill.runs, powerfill.subscribers TO powerfill_app;

GRANT USAGE ON SCHEMA powerfill TO powerfill_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA powerfill TO powerfill_reader;
-- Output tables that are still to be made. Only a member of the role may say so; who is no superuser (as on every managed
-- server) becomes one, and has more rights already.
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'powerfill_app', 'USAGE') THEN
        GRANT powerfill_app TO CURRENT_USER;
    END IF;
END $$;
ALTER DEFAULT PRIVILEGES FOR ROLE powerfill_app IN SCHEMA powerfill GRANT SELECT ON TABLES TO powerfill_reader;
