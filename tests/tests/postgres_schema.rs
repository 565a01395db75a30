//! The schema in PostgreSQL: its steps, its triggers, and the rights of its roles.

use std::path::Path;

use futures::future::join_all;
use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, EventStore};
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::{ProjectionWriter, RunStatus, RunStore};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_postgres::{PostgresStore, shape};
use powerfill_tables::table::Cell;
use powerfill_tests::postgres::{
    DedicatedServer, Durability, TestDatabase, connect, shared_server, url,
};
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::{
    HISTORY, KICKOUTS, candidates, kickouts, moment, request, run,
};

const SCHEMA: &str = include_str!("../../sql/postgres/schema.sql");
const ROLES: &str = include_str!("../../sql/postgres/roles.sql");
const SHAPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sql/postgres/shape.txt");

/// The shape without the table of steps, which `schema.sql` does not contain.
fn without_steps(shape: &[String]) -> Vec<&String> {
    shape.iter().filter(|line| !line.contains("schema_steps")).collect()
}

/// `UPDATE=1` writes the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_together_give_the_schema_that_verification_expects() {
    let stepped = TestDatabase::new();
    stepped.open().await;
    let made = shape(&stepped.unguarded_client().await).await.unwrap();
    let text = made.join("\n") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(Path::new(SHAPE), &text).unwrap();
    }
    let kept = std::fs::read_to_string(SHAPE).unwrap();
    assert_eq!(kept, text, "sql/postgres/shape.txt is stale: UPDATE=1 writes it");

    let whole = TestDatabase::new();
    let client = connect(&whole.url().await).await;
    client.batch_execute("CREATE SCHEMA powerfill; SET search_path = powerfill").await.unwrap();
    client.batch_execute(SCHEMA).await.unwrap();
    let read = shape(&client).await.unwrap();
    assert_eq!(without_steps(&made), without_steps(&read));
}

/// Publishing drops output tables while other programs open the store or verify it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shape_is_read_while_output_tables_come_and_go() {
    let place = TestDatabase::new();
    place.open().await;
    let publisher = place.unguarded_client().await;
    let come_and_go = tokio::spawn(async move {
        for _ in 0..300 {
            publisher
                .batch_execute(
                    "CREATE TABLE powerfill.pfill_loans (row_no bigint PRIMARY KEY);
                     DROP TABLE powerfill.pfill_loans",
                )
                .await
                .unwrap();
        }
    });
    let client = place.unguarded_client().await;
    while !come_and_go.is_finished() {
        shape(&client).await.unwrap();
    }
    come_and_go.await.unwrap();
}

#[test]
fn steps_have_the_same_names_in_each_dialect() {
    assert_eq!(names("postgres"), names("sqlite"));
}

/// The names of a dialect's steps.
fn names(dialect: &str) -> Vec<std::ffi::OsString> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql").join(dialect).join("steps");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_can_create_one_store_at_the_same_time() {
    let place = TestDatabase::new();
    let stores = join_all((0..8).map(|_| place.open())).await;
    for store in &stores {
        assert_eq!(store.verify(None).await.unwrap().damage, None);
    }
    let steps =
        place.unguarded_client().await.query("SELECT FROM schema_steps", &[]).await.unwrap();
    assert_eq!(steps.len(), names("postgres").len());
    place.open().await;
}

#[tokio::test]
async fn only_an_existing_store_is_opened_as_existing() {
    let place = TestDatabase::new();
    let address = url(&place.url().await);
    let missing = PostgresStore::open_existing(&address).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "store in", .. }), "{missing}");
    place.open().await;
    PostgresStore::open_existing(&address).await.unwrap();
    let nowhere = url(&shared_server().url("no_such_database"));
    let missing = PostgresStore::open(&nowhere).await.unwrap_err();
    assert!(
        matches!(&missing, StoreError::Failed(fault) if fault.to_string().contains("createdb")),
        "{missing}"
    );
}

#[tokio::test]
async fn a_store_of_a_newer_powerfill_is_refused() {
    let place = TestDatabase::new();
    place.open().await;
    let editor = place.unguarded_client().await;
    editor.batch_execute("INSERT INTO schema_steps VALUES (99, '0099_later')").await.unwrap();
    let error = PostgresStore::open(&url(&place.url().await)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Schema(fault) if fault.to_string().contains("newer")),
        "{error}"
    );
}

#[tokio::test]
async fn the_schema_of_another_program_is_refused() {
    let place = TestDatabase::new();
    let client = connect(&place.url().await).await;
    client
        .batch_execute("CREATE SCHEMA powerfill; CREATE TABLE powerfill.notes (text TEXT)")
        .await
        .unwrap();
    let error = PostgresStore::open(&url(&place.url().await)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Schema(fault) if fault.to_string().contains("not a PowerFill")),
        "{error}"
    );
}

/// Edits of the log that triggers refuse for every role.
const EDITS: &[&str] = &[
    "UPDATE es_event_blocks SET codec = 'none'",
    "DELETE FROM es_event_blocks",
    "TRUNCATE es_event_blocks",
    "UPDATE es_events SET payload = '{}'",
    "DELETE FROM es_events",
    "TRUNCATE es_events",
    "UPDATE es_appends SET actor = 'intruder'",
    "DELETE FROM es_appends",
    "TRUNCATE es_appends",
    "DELETE FROM es_streams",
    "TRUNCATE es_streams",
    "UPDATE es_streams SET name = 'run-y'",
    "UPDATE es_streams SET version = version - 1",
    "DELETE FROM es_head",
    "TRUNCATE es_head",
    "UPDATE es_head SET position = 0",
    "UPDATE es_head SET id = 1, seq = seq + 2, position = position + 1",
    "UPDATE snapshots SET byte_count = 0",
    "DELETE FROM snapshots",
    "TRUNCATE snapshots",
];

#[tokio::test]
async fn the_guards_refuse_an_edit_of_the_log() {
    let place = TestDatabase::new();
    let store = place.open().await;
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    let client = connect(&place.url().await).await;
    client.batch_execute("SET search_path = powerfill").await.unwrap();
    for sql in EDITS {
        let refused = client.batch_execute(sql).await.unwrap_err();
        assert_eq!(refused.code().map(|code| code.code()), Some("23001"), "{sql}: {refused:?}");
    }
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}

/// The role of workers can do everything that a store does, but can only append to the log. The
/// role of reports can only read. Roles belong to the whole server, so that the test needs its own
/// server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_the_rights_that_it_needs() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let place = TestDatabase::of(&server);
    place.open().await;
    let admin = server.admin_client(place.name().await).await;
    for _ in 0..2 {
        admin.batch_execute(ROLES).await.unwrap();
    }
    for (user, role) in [("ann", "app"), ("bob", "app"), ("rita", "reader")] {
        add_user(&admin, place.name().await, user, role).await;
    }
    let owner = place.url().await;
    let as_user =
        |user: &str| owner.replace("postgres://postgres@", &format!("postgres://{user}@"));
    // The run of the second worker replaces that of the first one.
    for (number, user) in [(1, "ann"), (2, "bob")] {
        let store = PostgresStore::open(&url(&as_user(user))).await.unwrap();
        execute_run(&store, number).await;
    }
    let store = PostgresStore::open(&url(&as_user("ann"))).await.unwrap();
    assert_eq!(store.verify(None).await.unwrap().damage, None);

    let worker = connect(&as_user("ann")).await;
    worker.batch_execute("SET search_path = powerfill").await.unwrap();
    let more = [
        "ALTER TABLE es_event_blocks DISABLE TRIGGER ALL",
        "DROP TABLE es_event_blocks",
        "INSERT INTO es_events VALUES (9, 1, 'CandidateScored', 1, '{}', '')",
        "CREATE TRIGGER t BEFORE INSERT ON es_event_blocks EXECUTE FUNCTION refuse_change()",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql \
         AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "UPDATE schema_steps SET name = 'x'",
        "DELETE FROM runs",
    ];
    // The role has the rights for these statements, but a trigger refuses them.
    let guarded =
        ["UPDATE es_streams SET version = version - 1", "UPDATE es_head SET position = 0"];
    for sql in EDITS.iter().chain(&more) {
        let refused = worker.batch_execute(sql).await.unwrap_err();
        let expected = if guarded.contains(sql) { "23001" } else { "42501" };
        assert_eq!(refused.code().map(|code| code.code()), Some(expected), "{sql}: {refused:?}");
    }

    let reader = connect(&as_user("rita")).await;
    reader.batch_execute("SET search_path = powerfill").await.unwrap();
    for table in ["es_event_blocks", "event_blocks", "runs", KICKOUTS.name, HISTORY.name] {
        let rows = reader.query(&format!("SELECT FROM {table}"), &[]).await.unwrap();
        assert!(!rows.is_empty(), "{table}");
    }
    let refused = reader.batch_execute("UPDATE runs SET status = 'Failed'").await.unwrap_err();
    assert_eq!(refused.code().map(|code| code.code()), Some("42501"));
    let audit = PostgresStore::open_existing(&url(&as_user("rita"))).await.unwrap();
    assert_eq!(audit.verify(None).await.unwrap().damage, None);
    let refused = audit.append(candidates(run(9), 0, 1)).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Failed(fault) if fault.to_string().contains("roles.sql")),
        "{refused}"
    );
}

/// As on a managed server: the owner of the database creates the store and grants the rights.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_need_not_be_a_superuser() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let place = TestDatabase::of(&server);
    let admin = server.admin_client(place.name().await).await;
    let owner = format!(
        "CREATE ROLE olga LOGIN CREATEROLE; ALTER DATABASE {} OWNER TO olga",
        place.name().await
    );
    admin.batch_execute(&owner).await.unwrap();
    let of = |url: &str, user: &str| url.replace("postgres://postgres@", user);
    let (olga, ann) = ("postgres://olga@", "postgres://ann@");
    let there = place.url().await;
    PostgresStore::open(&url(&of(&there, olga))).await.unwrap();
    let client = connect(&of(&there, olga)).await;
    for _ in 0..2 {
        client.batch_execute(ROLES).await.unwrap();
    }
    for (user, role) in [("ann", "app"), ("rita", "reader")] {
        add_user(&client, place.name().await, user, role).await;
    }
    execute_run(&PostgresStore::open(&url(&of(&there, ann))).await.unwrap(), 1).await;
    let reader = connect(&of(&there, "postgres://rita@")).await;
    let rows = reader.query(&format!("SELECT FROM powerfill.{}", KICKOUTS.name), &[]).await;
    assert!(!rows.unwrap().is_empty(), "tables that were created later can be read");
}

/// As `docs/guides/operating.md` sets two tenants up on one server: the roles are the same, and a
/// user of one tenant cannot connect to the database of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_of_one_tenant_cannot_read_another() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let (alpha, bravo) = (TestDatabase::of(&server), TestDatabase::of(&server));
    for (place, users) in [(&alpha, ["ann", "rita"]), (&bravo, ["bob", "rob"])] {
        execute_run(&place.open().await, 1).await;
        let admin = server.admin_client(place.name().await).await;
        admin.batch_execute(ROLES).await.unwrap();
        for (user, role) in users.into_iter().zip(["app", "reader"]) {
            add_user(&admin, place.name().await, user, role).await;
        }
    }
    let (alpha, bravo) = (alpha.url().await, bravo.url().await);
    for (user, own, other) in [
        ("ann", &alpha, &bravo),
        ("rita", &alpha, &bravo),
        ("bob", &bravo, &alpha),
        ("rob", &bravo, &alpha),
    ] {
        let as_user =
            |url: &str| url.replace("postgres://postgres@", &format!("postgres://{user}@"));
        let store = PostgresStore::open_existing(&url(&as_user(own))).await.unwrap();
        assert_eq!(store.verify(None).await.unwrap().damage, None, "{user}");
        let refused = tokio_postgres::connect(&as_user(other), tokio_postgres::NoTls).await.err();
        let refused = refused.unwrap_or_else(|| panic!("{user} connects to the other tenant"));
        assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{user}: {refused:?}");
    }
}

/// The roles are of no use to a tenant whose database everyone can connect to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_are_refused_to_an_owner_who_cannot_close_the_database() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let place = TestDatabase::of(&server);
    let name = place.name().await;
    let admin = server.admin_client(name).await;
    let owner =
        format!("CREATE ROLE olga LOGIN CREATEROLE; GRANT CREATE ON DATABASE {name} TO olga");
    admin.batch_execute(&owner).await.unwrap();
    let olga = place.url().await.replace("postgres://postgres@", "postgres://olga@");
    PostgresStore::open(&url(&olga)).await.unwrap();
    let refused = connect(&olga).await.batch_execute(ROLES).await.unwrap_err();
    let message = refused.as_db_error().unwrap().message();
    assert!(message.contains("as the owner of the database"), "{message}");
}

/// Adds a user of one tenant, as the guide does.
async fn add_user(admin: &tokio_postgres::Client, database: &str, user: &str, role: &str) {
    let mut sql = format!(
        "CREATE ROLE {user} LOGIN IN ROLE powerfill_{role}; \
         GRANT CONNECT ON DATABASE {database} TO {user};"
    );
    if role == "app" {
        sql += &format!("ALTER ROLE {user} IN DATABASE {database} SET role = 'powerfill_app'");
    }
    admin.batch_execute(&sql).await.unwrap();
}

async fn execute_run(store: &PostgresStore, number: u128) {
    let run = run(number);
    let digest = blake3::hash(&number.to_le_bytes()).to_hex();
    store.capture(&digest, &number.to_le_bytes()).await.unwrap();
    store.enqueue(request(run, moment(0)), false).await.unwrap();
    let lease = store.claim("worker", moment(1), moment(9)).await.unwrap().unwrap();
    let writer = ProjectionWriter::Worker(lease);
    let leased = |append| Append { lease: Some(lease), ..append };
    store.append(leased(candidates(run, 1, 199))).await.unwrap();
    store.append(leased(candidates(run, 200, 2))).await.unwrap();
    store.begin_staging(writer, &[&KICKOUTS, &HISTORY]).await.unwrap();
    store.stage(writer, [kickouts(["L1"])].into(), 202).await.unwrap();
    store.publish(writer, &[]).await.unwrap();
    store.put_row(writer, &HISTORY, vec![Cell::Name("Complete"), Cell::Int(1)]).await.unwrap();
    store.renew(lease, moment(20)).await.unwrap();
    store.set_status(lease, RunStatus::Complete).await.unwrap();
}
