-- Roles and rights in the database of one tenant. The owner of the store must run this file after
-- each `powerfill migrate`: psql -d DATABASE -f roles.sql. A second run changes nothing.
--
-- powerfill_app     for workers and services: appends, stages, publishes; cannot edit or cut the log
-- powerfill_reader  for reports and audits: reads everything, including output tables
--
-- Neither role can log in. Roles belong to the server and not to a database, so a member of
-- powerfill_reader would read the stores of all tenants of the server. What separates tenants is the
-- right to connect: this file takes it from PUBLIC, and each user gets it for the database of the
-- user's own tenant:
--   GRANT powerfill_app TO acme_worker; GRANT CONNECT ON DATABASE acme TO acme_worker;
-- Never grant CONNECT to powerfill_app or powerfill_reader. The role owns the output tables, so that
-- each worker can replace them and each reader can read them. So a worker acts as the role:
--   ALTER ROLE acme_worker IN DATABASE acme SET role = 'powerfill_app';
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'powerfill_app') THEN
        CREATE ROLE powerfill_app NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'powerfill_reader') THEN
        CREATE ROLE powerfill_reader NOLOGIN;
    END IF;
END $$;

-- Only the owner of the database can take the right to connect from others.
DO $$
DECLARE
    member name;
BEGIN
    EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC, powerfill_app, powerfill_reader',
        current_database());
    IF has_database_privilege('powerfill_app', current_database(), 'CONNECT')
        OR has_database_privilege('powerfill_reader', current_database(), 'CONNECT') THEN
        RAISE EXCEPTION 'everyone may still connect to database %; run this file as the owner of the database',
            current_database();
    END IF;
    FOR member IN
        SELECT rolname FROM pg_roles WHERE rolcanlogin
            AND (pg_has_role(oid, 'powerfill_app', 'MEMBER') OR pg_has_role(oid, 'powerfill_reader', 'MEMBER'))
            AND NOT has_database_privilege(oid, current_database(), 'CONNECT')
        ORDER BY rolname
    LOOP
        RAISE NOTICE 'user % cannot connect here; a user of this tenant needs: GRANT CONNECT ON DATABASE % TO %',
            member, quote_ident(current_database()), quote_ident(member);
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA powerfill FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA powerfill FROM PUBLIC;
REVOKE ALL ON powerfill.es_streams, powerfill.es_events, powerfill.es_event_blocks, powerfill.es_appends,
    powerfill.es_head, powerfill.snapshots, powerfill.schema_steps FROM powerfill_app;

-- The application creates, renames, and drops output tables, and owns them. It owns nothing else.
GRANT USAGE, CREATE ON SCHEMA powerfill TO powerfill_app;
GRANT SELECT ON powerfill.schema_steps, powerfill.es_events, powerfill.event_blocks TO powerfill_app;
GRANT SELECT, INSERT ON powerfill.es_event_blocks, powerfill.es_appends, powerfill.es_streams, powerfill.snapshots,
    powerfill.scenarios
    TO powerfill_app;
-- An append updates only these columns, and triggers refuse to decrease them.
GRANT UPDATE (version, tail_hash) ON powerfill.es_streams TO powerfill_app;
GRANT SELECT, UPDATE (seq, position, seal) ON powerfill.es_head TO powerfill_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON powerfill.projection_state, powerfill.staged_tables, powerfill.event_indexes,
    powerfill.event_index_entries TO powerfill_app;
GRANT SELECT, INSERT, UPDATE ON powerfill.runs, powerfill.run_headlines, powerfill.subscribers,
    powerfill.verified_log TO powerfill_app;

GRANT USAGE ON SCHEMA powerfill TO powerfill_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA powerfill TO powerfill_reader;
-- The reader also reads output tables that do not exist yet. Only a member of powerfill_app can grant
-- this, so the owner becomes a member unless it is a superuser. The owner has more rights already.
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'powerfill_app', 'USAGE') THEN
        GRANT powerfill_app TO CURRENT_USER;
    END IF;
END $$;
ALTER DEFAULT PRIVILEGES FOR ROLE powerfill_app IN SCHEMA powerfill GRANT SELECT ON TABLES TO powerfill_reader;
