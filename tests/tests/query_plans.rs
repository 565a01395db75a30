//! No query reads more the longer the history is: each finds its rows by an index. Exceptions are
//! named with their reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use powerfill_postgres::PostgresStore;
use powerfill_tests::postgres::{TestDatabase, connect};
use rusqlite::Connection;

/// Queries that read a whole table on purpose.
const WHOLE_TABLE: [(&str, &str); 8] = [
    ("all_appends_stored", "verification of the whole log"),
    ("append_of_first_row", "one row: the first event that `migrate` moves"),
    ("columns_of", "the catalog"),
    ("foreign_verified_log", "a table of one row"),
    ("index_of_subjects", "the list of subjects of the caller"),
    ("indexed_streams", "verification of all runs"),
    ("stray_block", "verification of the whole log"),
    ("stray_event", "verification of the whole log"),
];

/// The queries of a database by name. Statements without a plan are left out.
fn queries(database: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql").join(database);
    let files = fs::read_dir(folder.join("queries")).unwrap().map(|entry| entry.unwrap().path());
    let mut queries: BTreeMap<String, String> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    queries.retain(|_, sql| {
        let statement = sql.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
        ["SELECT", "UPDATE", "WITH"].iter().any(|word| statement.starts_with(word))
    });
    assert!(queries.len() > 20, "{} queries", queries.len());
    queries
}

/// Fails if a query without a reason scans a table, or one with a reason does not.
fn check(scans: &BTreeMap<String, Vec<String>>) {
    let without_reason: Vec<_> = scans
        .iter()
        .filter(|(name, _)| WHOLE_TABLE.iter().all(|(known, _)| known != name))
        .collect();
    assert!(without_reason.is_empty(), "read whole tables: {without_reason:#?}");
}

#[test]
fn sqlite_finds_every_row_by_an_index() {
    let store = Connection::open_in_memory().unwrap();
    store.execute_batch(include_str!("../../sql/sqlite/schema.sql")).unwrap();
    let schema_steps = include_str!("../../sql/sqlite/queries/schema_steps.sql");
    store.execute_batch(schema_steps).unwrap();
    let mut scans: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, sql) in queries("sqlite") {
        let mut plan = store.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
        let whole = |step: &String| step.starts_with("SCAN ") || step.contains("TEMP B-TREE");
        let found: Vec<String> = steps.map(Result::unwrap).filter(whole).collect();
        if !found.is_empty() {
            scans.insert(name, found);
        }
    }
    check(&scans);
}

#[tokio::test]
async fn postgresql_finds_every_row_by_an_index() {
    let database = TestDatabase::new();
    let url = database.url().await;
    drop(PostgresStore::open(&url.parse().unwrap()).await.unwrap());
    let client = connect(&url).await;
    // Without sequential scans as far as there is another way: a table without rows needs no index.
    let settings = "SET search_path = powerfill; SET enable_seqscan = off;
         SET plan_cache_mode = force_generic_plan";
    client.batch_execute(settings).await.unwrap();
    let mut scans: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, sql) in queries("postgres") {
        if ["shape", "place", "end_former_sessions"].contains(&name.as_str()) {
            // Of the catalog.
            continue;
        }
        client.batch_execute(&format!("PREPARE explained AS {sql}")).await.unwrap_or_else(
            |error| {
                panic!("{name}: {error:?}");
            },
        );
        let parameters = client.prepare(&sql).await.unwrap().params().len();
        let parameters = vec!["NULL"; parameters].join(", ");
        let execute = match parameters.is_empty() {
            true => "EXPLAIN EXECUTE explained".to_owned(),
            false => format!("EXPLAIN EXECUTE explained({parameters})"),
        };
        let plan = client.query(&execute, &[]).await.unwrap();
        let steps = plan.iter().map(|row| row.get::<_, String>(0));
        let found: Vec<String> = steps.filter(|step| step.contains("Seq Scan on")).collect();
        if !found.is_empty() {
            scans.insert(name, found);
        }
        client.batch_execute("DEALLOCATE explained").await.unwrap();
    }
    check(&scans);
}
