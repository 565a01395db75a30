//! A PostgreSQL source gives the same snapshot as a CSV folder with the same tables (specification
//! 4.1).

use std::path::{Path, PathBuf};

use powerfill_csv::read_folder;
use powerfill_postgres::source::read;
use powerfill_snapshot::{FaultReport, IgnoredPart, RawSnapshot, validate};
use powerfill_tests::postgres::{
    DedicatedServer, Durability, TestDatabase, connect, shared_server, url,
};
use tokio_postgres::Client;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// A SQL type that fits all cells of a column.
fn sql_type(cells: &[&str]) -> &'static str {
    let all = |reads: &dyn Fn(&str) -> bool| {
        cells.iter().any(|cell| !cell.is_empty())
            && cells.iter().all(|cell| cell.is_empty() || reads(cell))
    };
    let is_date = |cell: &str| cell.len() == 10 && cell.split('-').map(str::len).eq([4, 2, 2]);
    let is_whole = |cell: &str| cell.parse::<i64>().is_ok_and(|n| n.to_string() == cell);
    // `0501` is a text, because a number would lose its zero.
    let is_decimal = |cell: &str| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = cell.strip_prefix('-').unwrap_or(cell);
        let padded = number.starts_with('0') && !number.starts_with("0.") && number != "0";
        !padded && number.split('.').all(digits) && number.matches('.').count() <= 1
    };
    match () {
        () if all(&|cell| cell == "Y" || cell == "N") => "BOOLEAN",
        () if all(&is_date) => "DATE",
        () if all(&is_whole) => "BIGINT",
        () if all(&is_decimal) => "NUMERIC",
        // The server pads these texts with blanks.
        () if cells.iter().all(|cell| cell.chars().count() <= 40) => "CHAR(40)",
        () => "TEXT",
    }
}

/// Writes the tables to a schema, with the types of a typical database, and names in capitals.
async fn load(raw: &RawSnapshot, client: &Client, schema: &str) {
    let mut sql = format!("CREATE SCHEMA \"{schema}\";");
    for table in &raw.tables {
        let name = format!("\"{schema}\".\"{}\"", table.name().to_uppercase());
        let width = table.columns().len();
        let types: Vec<&str> = (0..width)
            .map(|at| {
                sql_type(&(0..table.rows()).map(|row| table.cell(row, at)).collect::<Vec<_>>())
            })
            .collect();
        let columns: Vec<String> =
            table.columns().iter().zip(&types).map(|(c, t)| format!("\"{c}\" {t}")).collect();
        sql.push_str(&format!("CREATE TABLE {name} ({});", columns.join(", ")));
        for row in 0..table.rows() {
            let values: Vec<String> = (0..width)
                .map(|at| match (table.cell(row, at), types[at]) {
                    ("", _) => "NULL".to_owned(),
                    (text, "NUMERIC") => format!("{text}00::NUMERIC", text = with_point(text)),
                    (text, _) => format!("'{}'", text.replace('\'', "''")),
                })
                .collect();
            sql.push_str(&format!("INSERT INTO {name} VALUES ({});", values.join(", ")));
        }
    }
    client.batch_execute(&sql).await.unwrap();
}

/// A text to which zeros can be added, as a column with a larger scale has them.
fn with_point(text: &str) -> String {
    if text.contains('.') { text.to_owned() } else { format!("{text}.") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_digest_is_that_of_the_csv_folder() {
    let place = TestDatabase::new();
    let client = connect(&place.url().await).await;
    let mut compared = 0;
    for entry in std::fs::read_dir(cases()).unwrap() {
        let case = entry.unwrap().path();
        let Ok(raw) = read_folder(&case.join("snapshot")) else { continue };
        let Ok(from_csv) = validate(read_folder(&case.join("snapshot")).unwrap()) else { continue };
        let schema = case.file_name().unwrap().to_str().unwrap();
        load(&raw, &client, schema).await;
        let address = url(&format!("{}?schema={schema}", place.url().await));
        let read = read(&address).await.unwrap();
        let from_postgres = validate(read).unwrap_or_else(|report| panic!("{schema}: {report}"));
        assert_eq!(from_postgres.snapshot.digest(), from_csv.snapshot.digest(), "{schema}");
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

const SOUND: &str = "
    CREATE TABLE snapshot (tenant_id text, as_of timestamp, prices_as_of timestamptz);
    INSERT INTO snapshot VALUES ('W', '2026-01-15', '2026-01-15 00:00+00');
    CREATE TABLE pscat_loan_stages (stage_name text, stage_rank integer);
    CREATE TABLE pscat_instruments (investor_id char(8), investor_instrument_name varchar,
                                    kind text);
    INSERT INTO pscat_instruments VALUES ('FNMA', 'FN 6.0', 'tba');
    CREATE TABLE pscat_trades (trade_id text, investor_instrument_name text, trade_type text,
                               status text, trade_amount numeric(15, 2), tolerance numeric);
    CREATE TABLE pfill_constraints (investor_id text, investor_instrument_name text,
                                    constraint_name text, constraint_priority integer);
    CREATE TABLE base (loan_id text, curr_status text, loan_amount double precision,
                       note_rate numeric, fico numeric);
    CREATE VIEW \"Loan\" AS SELECT * FROM base;";

fn faults(report: &FaultReport) -> Vec<[String; 4]> {
    let named = |fault: &powerfill_snapshot::Fault| {
        let [_, table, row, column, _, code, _] = fault.cells();
        [table, row, column, code].map(str::to_owned)
    };
    report.faults.iter().map(named).collect()
}

async fn book(more: &str) -> RawSnapshot {
    let place = TestDatabase::new();
    let client = connect(&place.url().await).await;
    client.batch_execute(&format!("{SOUND}{more}")).await.unwrap();
    read(&url(&place.url().await)).await.unwrap()
}

#[tokio::test]
async fn a_cell_of_an_unsuitable_type_is_a_fault_with_its_place() {
    let raw = book(
        "UPDATE snapshot SET as_of = '2026-01-15 08:30';
         INSERT INTO base VALUES ('A', 'Closed', 1.5, 6, 'NaN');",
    )
    .await;
    assert_eq!(raw.ignored, [IgnoredPart::Relation("base".into())]);
    let found = faults(&validate(raw).unwrap_err());
    for (table, column) in [("snapshot", "as_of"), ("loan", "loan_amount"), ("loan", "fico")] {
        assert!(
            found.iter().any(|f| f[0] == table && f[2] == column),
            "{table}.{column}: {found:?}"
        );
    }
    assert!(found.iter().any(|f| f[0] == "loan" && f[1].contains('A')), "{found:?}");
}

#[tokio::test]
async fn an_unreadable_table_leaves_the_others_readable() {
    let raw = book(
        "DROP TABLE pfill_constraints;
         CREATE VIEW pfill_constraints AS SELECT 1 / (random() * 0)::integer AS constraint_priority;
         CREATE TABLE \"PSCAT_TRADES\" (trade_id text);
         INSERT INTO base (loan_id, curr_status, note_rate) VALUES ('A', 'Closed', 6)",
    )
    .await;
    let unreadable: Vec<&str> = raw.faults.iter().map(|fault| fault.table.as_str()).collect();
    assert_eq!(raw.tables.len(), 4, "{unreadable:?}");
    assert!(
        raw.faults
            .iter()
            .any(|f| f.table == "pfill_constraints" && f.reason.contains("division by zero"))
    );
    assert!(raw.faults.iter().any(|f| f.table == "pscat_trades" && f.reason.contains("both")));
}

/// Roles belong to the whole server, so that the test needs its own server.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_a_source_lacks_is_named_with_its_grant() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let admin = server.admin_client("postgres").await;
    admin
        .batch_execute(&format!(
            "CREATE ROLE reports LOGIN; CREATE SCHEMA pf; SET search_path = pf; {SOUND}
             CREATE SCHEMA \"No Use\"; CREATE TABLE \"No Use\".loan (loan_id text);
             GRANT USAGE ON SCHEMA pf TO reports; GRANT SELECT ON snapshot TO reports;"
        ))
        .await
        .unwrap();
    let read_as = async |schema: &str| {
        let url = server.url("postgres").replace("postgres://postgres@", "postgres://reports@");
        read(&powerfill_tests::postgres::url(&format!("{url}?schema={schema}"))).await.unwrap()
    };
    let raw = read_as("pf").await;
    assert_eq!(raw.tables.iter().map(|table| table.name()).collect::<Vec<_>>(), ["snapshot"]);
    let reason = |raw: &RawSnapshot| {
        raw.faults.iter().find(|fault| fault.table == "loan").unwrap().reason.clone()
    };
    assert_eq!(
        reason(&raw),
        "the role reports may not read pf.\"Loan\"; GRANT SELECT ON pf.\"Loan\" TO reports"
    );
    let trades = raw.faults.iter().find(|fault| fault.table == "pscat_trades").unwrap();
    assert!(trades.reason.ends_with("; GRANT SELECT ON pf.pscat_trades TO reports"));
    assert_eq!(
        reason(&read_as("No%20Use").await),
        "the role reports may not use the schema \"No Use\"; GRANT USAGE ON SCHEMA \"No Use\" TO \
         reports"
    );
}

#[tokio::test]
async fn money_is_refused_with_its_cast() {
    let raw = book(
        "DROP VIEW \"Loan\"; CREATE TABLE loan (loan_id text, loan_amount money);
         INSERT INTO loan VALUES ('A', 1.5)",
    )
    .await;
    let report = validate(raw).unwrap_err();
    assert!(report.faults.iter().any(|fault| fault.reason.contains("cast it to NUMERIC")));
}

#[tokio::test]
async fn a_missing_database_is_reported_with_its_url() {
    let nowhere = format!("{}?schema=public", shared_server().tcp_url("no_such_database"));
    let error = read(&url(&nowhere)).await.unwrap_err().to_string();
    assert!(error.contains("no_such_database") && error.contains(":***@"), "{error}");
    assert!(error.contains("name another database") && !error.contains("createdb"), "{error}");
    let place = TestDatabase::new();
    let error = read(&url(&format!("{}?schema=elsewhere", place.url().await))).await.unwrap_err();
    assert!(error.to_string().contains("elsewhere"), "{error}");
}
