//! A database gives the same snapshot as a folder with the same tables (specification 4.1).

use powerfill_csv::read_folder;
use powerfill_snapshot::validate;

use crate::Test;
use crate::loading::{fill, load};
use crate::sandbox::{Sandbox, case, cases, options, source};
use crate::server::{Schema, runtime};

pub(crate) const TESTS: &[Test] = tests! {
    reading:
    the_digest_equals_that_of_the_same_tables_as_csv,
    every_source_gives_the_same_events,
    the_input_tables_can_store_a_whole_book,
    views_map_other_names,
    mismatches_are_faults_that_name_the_column,
    a_table_without_permission_is_named,
};

fn the_digest_equals_that_of_the_same_tables_as_csv() {
    let mut compared = 0;
    for case in cases() {
        let folder = case.join("snapshot");
        let Ok(from_csv) = read_folder(&folder).map(validate) else { continue };
        let Ok(from_csv) = from_csv else { continue };
        let schema = Schema::new();
        load(&read_folder(&folder).unwrap(), &schema);
        let url = schema.url().parse().unwrap();
        let read = runtime().block_on(powerfill_sqlserver::source::read(&url)).unwrap();
        let case = case.file_name().unwrap().to_string_lossy().into_owned();
        let from_server = validate(read).unwrap_or_else(|report| panic!("{case}: {report}"));
        assert_eq!(from_server.snapshot.digest(), from_csv.snapshot.digest(), "{case}");
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

/// The types and payloads of the events of the latest run.
fn events(sandbox: &Sandbox) -> Vec<String> {
    let printed = sandbox.run_ok("events latest --format json");
    let event = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        format!("{} {}", event["event_type"], event["payload"])
    };
    printed.lines().map(event).collect()
}

fn every_source_gives_the_same_events() {
    let case = case("41");
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    let raw = read_folder(&case.join("snapshot")).unwrap();
    load(&raw, &schema);
    let file = sandbox.path("book.db");
    sqlite(&raw, &file);
    let database = powerfill_tests::postgres::TestDatabase::new();
    let postgres = runtime().block_on(async {
        let client = powerfill_tests::postgres::connect(&database.url().await).await;
        client.batch_execute(&text_tables(&raw)).await.expect("the tables are created");
        database.url().await
    });
    let mut all = Vec::new();
    for source in [source(&case), format!("sqlite:{}", file.display()), postgres, schema.url()] {
        let options = options(&case);
        sandbox
            .run(["run", &source, "--options", &options, "--store", "sqlite:books.db"])
            .success();
        std::fs::rename(sandbox.path("books.db"), sandbox.path("powerfill.db"))
            .expect("the store is renamed");
        all.push(events(&sandbox));
        std::fs::remove_file(sandbox.path("powerfill.db")).expect("the store is removed");
    }
    assert!(all[0].len() > 1_000, "{}", all[0].len());
    assert!(all.iter().all(|events| *events == all[0]));
}

/// SQL for SQLite and PostgreSQL that creates the tables with columns of text.
fn text_tables(raw: &powerfill_snapshot::RawSnapshot) -> String {
    let mut sql = String::new();
    for table in &raw.tables {
        let columns: Vec<String> =
            table.columns().iter().map(|name| format!("\"{name}\" TEXT")).collect();
        sql += &format!("CREATE TABLE \"{}\" ({});", table.name(), columns.join(", "));
        for row in 0..table.rows() {
            let cells = (0..columns.len()).map(|at| match table.cell(row, at) {
                "" => "NULL".to_owned(),
                text => format!("'{}'", text.replace('\'', "''")),
            });
            sql += &format!(
                "INSERT INTO \"{}\" VALUES ({});",
                table.name(),
                cells.collect::<Vec<_>>().join(", ")
            );
        }
    }
    sql
}

fn sqlite(raw: &powerfill_snapshot::RawSnapshot, file: &std::path::Path) {
    let database = rusqlite::Connection::open(file).expect("a file");
    database
        .execute_batch(&format!("BEGIN; {} COMMIT;", text_tables(raw)))
        .expect("the tables are created");
}

fn the_input_tables_can_store_a_whole_book() {
    let (schema, sandbox, case) = (Schema::new(), Sandbox::new(), case("41"));
    let made = sandbox.run(["migrate", "--target", &schema.url(), "--tables", "inputs"]).success();
    assert_eq!(made.out.matches(": made").count(), 17, "{}", made.out);
    let again = sandbox.run(["migrate", "--target", &schema.url(), "--tables", "inputs"]).success();
    assert_eq!(again.out.matches(": made").count(), 0, "{}", again.out);
    fill(&read_folder(&case.join("snapshot")).unwrap(), &schema);
    let options = options(&case);
    let checked = sandbox.run(["check", &schema.url()]).success();
    assert!(checked.out.contains("0 errors"), "{}", checked.out);
    sandbox.run(["preflight", &schema.url(), "--options", &options]).success();
    sandbox.run(["run", &schema.url(), "--options", &options]).success();
    let from_server = events(&sandbox);
    sandbox.run(["run", &source(&case), "--options", &options]).success();
    assert!(events(&sandbox) == from_server);
}

fn views_map_other_names() {
    let (schema, lenders) = (Schema::new(), Schema::new());
    let raw = read_folder(&case("41").join("snapshot")).unwrap();
    load(&raw, &schema);
    // The lender's table of loans and its columns have other names; a view maps them.
    let loans = raw.tables.iter().find(|table| table.name() == "loan").unwrap();
    let (theirs, ours) = (lenders.table("LoanPipeline"), schema.table("loan"));
    let all: Vec<String> =
        loans.columns().iter().map(|name| format!("[{name}] AS [Their_{name}]")).collect();
    schema.sql(&format!("SELECT {} INTO {theirs} FROM {ours}", all.join(", ")));
    schema.sql(&format!("DROP TABLE {ours}"));
    let back: Vec<String> =
        loans.columns().iter().map(|name| format!("[Their_{name}] AS [{name}]")).collect();
    schema.sql(&format!("CREATE VIEW {ours} AS SELECT {} FROM {theirs}", back.join(", ")));
    let url = schema.url().parse().unwrap();
    let read = runtime().block_on(powerfill_sqlserver::source::read(&url)).unwrap();
    let from_csv = validate(read_folder(&case("41").join("snapshot")).unwrap()).unwrap();
    assert_eq!(validate(read).unwrap().snapshot.digest(), from_csv.snapshot.digest());
}

fn mismatches_are_faults_that_name_the_column() {
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    load(&read_folder(&case("41").join("snapshot")).unwrap(), &schema);
    let loan = schema.table("loan");
    schema.sql(&format!("ALTER TABLE {loan} ADD [seen_at] DATETIME2 NULL"));
    schema.sql(&format!("ALTER TABLE {loan} ADD [weight] FLOAT NULL"));
    schema.sql(&format!("UPDATE {loan} SET [seen_at] = N'2026-01-15T08:30:00', [weight] = 0.1 WHERE [loan_id] = N'L00001'"));
    schema.sql(&format!("DROP TABLE {}", schema.table("pscat_trades")));
    schema.sql(&format!("ALTER TABLE {} DROP COLUMN [kind]", schema.table("pscat_instruments")));
    let missing = format!(
        "error,pscat_trades,,,,missing_table,\"{0}.pscat_trades: there is no such table or view",
        schema.name
    );
    let column = "error,pscat_instruments,,kind,,missing_column,";
    let cells = ["loan,L00001,seen_at,2026-01-15", "loan,L00001,weight,0.1"];
    sandbox
        .run(["check", &schema.url(), "--format", "csv"])
        .answers(1, &[&missing, column, cells[0], cells[1]]);
}

fn with_prices() -> std::path::PathBuf {
    let has_prices = |case: &std::path::PathBuf| case.join("snapshot/loan_price.csv").is_file();
    cases().into_iter().find(has_prices).expect("a case has prices")
}

fn a_table_without_permission_is_named() {
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    // This case has a table of prices.
    load(&read_folder(&with_prices().join("snapshot")).unwrap(), &schema);
    let user = format!("{}_reader", schema.name);
    schema.sql(&format!("CREATE LOGIN [{user}] WITH PASSWORD = N'Pf-1234-pf'"));
    schema.sql(&format!("CREATE USER [{user}] FOR LOGIN [{user}]"));
    for table in ["loan", "pscat_loan_stages", "pscat_instruments", "pfill_constraints", "snapshot"]
    {
        schema.sql(&format!("GRANT SELECT ON {} TO [{user}]", schema.table(table)));
    }
    let url = schema.url();
    let (_, rest) = url.split_once('@').expect("a user");
    let url = format!("mssql://{user}:Pf-1234-pf@{rest}");
    let checked = sandbox.run(["check", &url, "--format", "csv"]);
    drop(schema);
    let admin = Schema::new();
    admin.sql(&format!("DROP USER [{user}]"));
    admin.sql(&format!("DROP LOGIN [{user}]"));
    assert_eq!(checked.status, Some(1), "{}{}", checked.out, checked.err);
    assert!(!checked.err.contains("Pf-1234"), "{}", checked.err);
    // An optional table is not treated as absent.
    for table in ["pscat_trades", "loan_price"] {
        assert!(
            checked.out.contains(&format!("error,{table},,,,unreadable,")),
            "{table}:\n{}",
            checked.out
        );
    }
    assert!(!checked.out.contains("error,snapshot,"), "{}", checked.out);
}
