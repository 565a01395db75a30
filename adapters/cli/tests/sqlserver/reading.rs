//! A database is read as the folder of the same tables is (specification 4.1).

use powerfill_csv::read_folder;
use powerfill_snapshot::validate;

use crate::Test;
use crate::desk::{Desk, case, cases, options, source};
use crate::loading::{fill, load};
use crate::server::{Schema, runtime};

pub(crate) const TESTS: &[Test] = &[
    (
        "reading::the_digest_is_that_of_the_same_tables_as_csv",
        the_digest_is_that_of_the_same_tables_as_csv,
    ),
    ("reading::every_source_gives_the_same_events", every_source_gives_the_same_events),
    (
        "reading::the_tables_for_a_new_tenant_take_a_whole_book",
        the_tables_for_a_new_tenant_take_a_whole_book,
    ),
    ("reading::views_map_what_is_called_otherwise", views_map_what_is_called_otherwise),
    (
        "reading::what_does_not_fit_is_a_fault_with_its_name",
        what_does_not_fit_is_a_fault_with_its_name,
    ),
    ("reading::a_table_that_may_not_be_read_is_named", a_table_that_may_not_be_read_is_named),
];

fn the_digest_is_that_of_the_same_tables_as_csv() {
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

/// What a run recorded, without what is another's each time.
fn events(desk: &Desk) -> Vec<String> {
    let told = desk.ask("events latest --format json");
    let event = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        format!("{} {}", event["event_type"], event["payload"])
    };
    told.lines().map(event).collect()
}

fn every_source_gives_the_same_events() {
    let case = case("41");
    let (schema, desk) = (Schema::new(), Desk::new());
    let raw = read_folder(&case.join("snapshot")).unwrap();
    load(&raw, &schema);
    let file = desk.path("book.db");
    sqlite(&raw, &file);
    let database = powerfill_tests::postgres::TestDatabase::new();
    let postgres = runtime().block_on(async {
        let client = powerfill_tests::postgres::connect(&database.url().await).await;
        client.batch_execute(&texts(&raw)).await.expect("the tables are made");
        database.url().await
    });
    let mut all = Vec::new();
    for source in [source(&case), format!("sqlite:{}", file.display()), postgres, schema.url()] {
        let options = options(&case);
        desk.powerfill(["run", &source, "--options", &options, "--store", "sqlite:books.db"])
            .well();
        std::fs::rename(desk.path("books.db"), desk.path("powerfill.db")).expect("it is the store");
        all.push(events(&desk));
        std::fs::remove_file(desk.path("powerfill.db")).expect("it goes away");
    }
    assert!(all[0].len() > 1_000, "{}", all[0].len());
    assert!(all.iter().all(|events| *events == all[0]));
}

/// The tables as texts, in SQL that SQLite and PostgreSQL read.
fn texts(raw: &powerfill_snapshot::RawSnapshot) -> String {
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
    database.execute_batch(&format!("BEGIN; {} COMMIT;", texts(raw))).expect("the tables are made");
}

fn the_tables_for_a_new_tenant_take_a_whole_book() {
    let (schema, desk, case) = (Schema::new(), Desk::new(), case("41"));
    let made = desk.powerfill(["migrate", "--target", &schema.url(), "--tables", "inputs"]).well();
    assert_eq!(made.out.matches(": made").count(), 17, "{}", made.out);
    let again = desk.powerfill(["migrate", "--target", &schema.url(), "--tables", "inputs"]).well();
    assert_eq!(again.out.matches(": made").count(), 0, "{}", again.out);
    fill(&read_folder(&case.join("snapshot")).unwrap(), &schema);
    let options = options(&case);
    let checked = desk.powerfill(["check", &schema.url()]).well();
    assert!(checked.out.contains("0 errors"), "{}", checked.out);
    desk.powerfill(["preflight", &schema.url(), "--options", &options]).well();
    desk.powerfill(["run", &schema.url(), "--options", &options]).well();
    let from_server = events(&desk);
    desk.powerfill(["run", &source(&case), "--options", &options]).well();
    assert!(events(&desk) == from_server);
}

fn views_map_what_is_called_otherwise() {
    let (schema, lenders) = (Schema::new(), Schema::new());
    let raw = read_folder(&case("41").join("snapshot")).unwrap();
    load(&raw, &schema);
    // The lender has loans under another name, with other names of columns; views of its own map
    // them.
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

fn what_does_not_fit_is_a_fault_with_its_name() {
    let (schema, desk) = (Schema::new(), Desk::new());
    load(&read_folder(&case("41").join("snapshot")).unwrap(), &schema);
    let loan = schema.table("loan");
    schema.sql(&format!("ALTER TABLE {loan} ADD [seen_at] DATETIME2 NULL"));
    schema.sql(&format!("ALTER TABLE {loan} ADD [weight] FLOAT NULL"));
    schema.sql(&format!("UPDATE {loan} SET [seen_at] = N'2026-01-15T08:30:00', [weight] = 0.1 WHERE [loan_id] = N'L00001'"));
    schema.sql(&format!("DROP TABLE {}", schema.table("pscat_trades")));
    schema.sql(&format!("ALTER TABLE {} DROP COLUMN [kind]", schema.table("pscat_instruments")));
    let checked = desk.powerfill(["check", &schema.url(), "--format", "csv"]);
    assert_eq!(checked.status, Some(1), "{}{}", checked.out, checked.err);
    for expected in [
        &format!(
            "error,pscat_trades,,,,missing_table,\"{0}.pscat_trades: there is no such table or view",
            schema.name
        ),
        "error,pscat_instruments,,kind,,missing_column,",
        "loan,L00001,seen_at,2026-01-15",
        "loan,L00001,weight,0.1",
    ] {
        assert!(checked.out.contains(expected), "{expected}:\n{}", checked.out);
    }
}

fn with_prices() -> std::path::PathBuf {
    let has_prices = |case: &std::path::PathBuf| case.join("snapshot/loan_price.csv").is_file();
    cases().into_iter().find(has_prices).expect("a case has prices")
}

fn a_table_that_may_not_be_read_is_named() {
    let (schema, desk) = (Schema::new(), Desk::new());
    // This one has a table of prices.
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
    let checked = desk.powerfill(["check", &url, "--format", "csv"]);
    drop(schema);
    let elsewhere = Schema::new();
    elsewhere.sql(&format!("DROP USER [{user}]"));
    elsewhere.sql(&format!("DROP LOGIN [{user}]"));
    assert_eq!(checked.status, Some(1), "{}{}", checked.out, checked.err);
    assert!(!checked.err.contains("Pf-1234"), "{}", checked.err);
    // What may be absent, too, is not taken for empty.
    for table in ["pscat_trades", "loan_price"] {
        assert!(
            checked.out.contains(&format!("error,{table},,,,unreadable,")),
            "{table}:\n{}",
            checked.out
        );
    }
    assert!(!checked.out.contains("error,snapshot,"), "{}", checked.out);
}
