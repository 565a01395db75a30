//! The adapter against a mock server: columns and values of every type as bytes, errors by number,
//! and lost connections. `adapters/cli/tests/sqlserver` tests the same with a live server.

mod server;
mod types;

use powerfill_ports::publishing::PublishError;
use powerfill_snapshot::{FaultCode, RawSnapshot};
use powerfill_sqlserver::migrate::{TableSet, migrate};
use powerfill_sqlserver::source::{MssqlSourceError, read};
use server::{Answer, Column, MockServer};
use types::{
    bit, date, date_value, datetime, datetime_value, datetime2, datetime2_value, float, int, nchar,
    numeric, numeric_value, nvarchar, nvarchar_max, raw_value, text_parts, text_value, uuid,
};

/// 2026-01-15 from 0001-01-01, and from 1900-01-01.
const DAY: u32 = 739_630;
const DAY_FROM_1900: i32 = 46_035;

async fn read_from(server: &MockServer) -> Result<RawSnapshot, MssqlSourceError> {
    read(&server.url().parse().unwrap()).await
}

/// The answer of a catalog that lists one table `loan` with these columns.
fn catalog(columns: &[(&'static str, &'static str)]) -> Answer {
    let rows = columns.iter().map(|(name, column_type)| {
        ["loan", name, column_type].map(|text| text_value(Some(text))).to_vec()
    });
    Answer::Rows(["t", "c", "d"].map(nvarchar).to_vec(), rows.collect())
}

const LOAN_ID: &[(&str, &str)] = &[("loan_id", "nvarchar")];

/// How many other required tables are missing.
const MISSING: usize = 5;

/// The answers of a database with one table, which has one row.
fn default_answer(sql: &str) -> Answer {
    match sql {
        _ if sql.contains("INFORMATION_SCHEMA") => catalog(LOAN_ID),
        _ if sql.contains("SELECT TOP (0)") && !sql.contains("[loan]") => {
            Answer::Error(208, "Invalid object name")
        }
        _ if sql.contains("SELECT [loan_id]") => {
            Answer::Rows(vec![nvarchar("loan_id")], vec![vec![text_value(Some("LN1"))]])
        }
        _ => Answer::Done,
    }
}

#[tokio::test]
async fn every_type_is_read_exactly_or_rejected() {
    let long = "x".repeat(3_000);
    let values: Vec<(Column, Vec<u8>, &str)> = vec![
        (nvarchar("name"), text_value(Some("Zürich 日本 🏠")), "Zürich 日本 🏠"),
        (nvarchar("null_name"), text_value(None), ""),
        (nchar("padded"), text_value(Some("LN1   ")), "LN1"),
        (nvarchar_max("rule"), text_parts(&["fico >= ", "700"]), "fico >= 700"),
        (nvarchar_max("long"), text_parts(&[&long, &long]), "long"),
        (int("tiny", 1), raw_value(Some(&[200])), "200"),
        (int("small", 2), raw_value(Some(&(-5_i16).to_le_bytes())), "-5"),
        (int("int", 4), raw_value(Some(&1_001_i32.to_le_bytes())), "1001"),
        (int("big", 8), raw_value(Some(&i64::MIN.to_le_bytes())), "-9223372036854775808"),
        (int("null_int", 4), raw_value(None), ""),
        (bit("yes"), raw_value(Some(&[1])), "Y"),
        (bit("no"), raw_value(Some(&[0])), "N"),
        (numeric("amount", 19, 2), numeric_value(Some(30_000_000)), "300000.00"),
        (numeric("small_minus", 11, 8), numeric_value(Some(-5)), "-0.00000005"),
        (
            numeric("huge", 38, 10),
            numeric_value(Some(i128::from(u64::MAX) * 1_000_000_007)),
            "1844674420283676013.0966861305",
        ),
        (numeric("null_amount", 19, 2), numeric_value(None), ""),
        (date("day"), date_value(Some(DAY)), "2026-01-15"),
        (date("null_day"), date_value(None), ""),
        (datetime("midnight"), datetime_value(DAY_FROM_1900, 0), "2026-01-15"),
        (datetime2("fine_midnight"), datetime2_value(0, DAY), "2026-01-15"),
        (uuid("loan_id"), raw_value(Some(&[0x11; 16])), "11111111-1111-1111-1111-111111111111"),
    ];
    let rejected = [
        (datetime("noon"), datetime_value(DAY_FROM_1900, 43_200 * 300)),
        (datetime2("late"), datetime2_value(1, DAY)),
    ];
    let floats = (float("weight"), raw_value(Some(&0.1_f64.to_le_bytes())));
    let (columns, cells): (Vec<Column>, Vec<Vec<u8>>) = values
        .iter()
        .map(|(column, cell, _)| (column.clone(), cell.clone()))
        .chain(rejected)
        .chain([floats])
        .unzip();
    let named: Vec<(&str, &str)> = columns.iter().map(|Column(name, _)| (*name, "any")).collect();
    let server = MockServer::new(move |sql| match sql {
        _ if sql.contains("INFORMATION_SCHEMA") => catalog(&named),
        _ if sql.contains("SELECT [name]") => {
            Answer::Rows(columns.clone(), vec![cells.clone(), cells.clone()])
        }
        other => default_answer(other),
    });
    let read = read_from(&server).await.unwrap();
    assert_eq!((read.faults.len(), read.warnings.len()), (MISSING, 0), "{:?}", read.faults);
    let loan = &read.tables[0];
    assert_eq!((loan.name(), loan.rows()), ("loan", 2));
    for (at, (Column(name, _), _, expected)) in values.iter().enumerate() {
        let expected = if *name == "long" { long.repeat(2) } else { (*expected).to_owned() };
        assert_eq!(loan.cell(1, at).trim_end_matches(' '), expected, "{name}");
    }
    // The report names each cell without an exact value.
    let report = powerfill_snapshot::validate(read).unwrap_err();
    for column in ["noon", "late", "weight"] {
        let found = report
            .faults
            .iter()
            .filter(|fault| fault.cells()[1] == "loan" && fault.cells()[3] == column);
        assert_eq!(found.count(), 2, "{column}");
    }
}

#[tokio::test]
async fn a_database_without_snapshot_isolation_is_read_with_a_warning() {
    assert!(read_from(&MockServer::new(default_answer)).await.unwrap().warnings.is_empty());
    let mut snapshot = false;
    let server = MockServer::new(move |sql| {
        if sql.contains("ISOLATION LEVEL") {
            snapshot = sql.contains("ISOLATION LEVEL SNAPSHOT");
        }
        match sql.contains("SELECT [loan_id]") && snapshot {
            true => {
                Answer::Error(3_952, "Snapshot isolation transaction failed accessing database")
            }
            false => default_answer(sql),
        }
    });
    let read = read_from(&server).await.unwrap();
    assert_eq!((read.tables.len(), read.tables[0].rows()), (1, 1));
    assert_eq!(read.warnings.len(), 1);
    assert!(read.warnings[0].contains("ALLOW_SNAPSHOT_ISOLATION"), "{:?}", read.warnings);
    assert!(server.batches().iter().any(|sql| sql.contains("READ COMMITTED")));
}

#[tokio::test]
async fn transient_errors_restart_the_read() {
    for transient in [
        Answer::Error(1_205, "Transaction was deadlocked"),
        Answer::Error(1_222, "Lock request time out period exceeded"),
        Answer::Error(40_613, "Database is not currently available"),
        Answer::Disconnect,
    ] {
        for at in
            ["LOGIN", "INFORMATION_SCHEMA", "TOP (0)", "BEGIN TRANSACTION", "SELECT [loan_id]"]
        {
            let (mut first, transient) = (true, transient.clone());
            let server = MockServer::new(move |sql| {
                match sql.contains(at) && std::mem::replace(&mut first, false) {
                    true => transient.clone(),
                    false => {
                        first &= !sql.contains(at);
                        default_answer(sql)
                    }
                }
            });
            let read = read_from(&server).await.unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!((read.tables[0].rows(), read.faults.len()), (1, MISSING), "{at}");
            assert!(server.batches().iter().filter(|sql| *sql == "LOGIN").count() > 1, "{at}");
        }
    }
}

#[tokio::test]
async fn error_messages_give_advice_and_no_secrets() {
    for (number, advice) in [
        (18_456, "the user and the password"),
        (4_060, "the database's name"),
        (916, "what to grant"),
    ] {
        let server = MockServer::new(move |_| Answer::Error(number, "refused"));
        let error = read_from(&server).await.unwrap_err();
        let message = format!("{error} {error:?}");
        assert!(message.contains(advice) && message.contains(&number.to_string()), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
        assert_eq!(server.batches().len(), 1, "the read must not be repeated");
        let url = server.url().parse().unwrap();
        let error = migrate(&url, TableSet::Outputs).await.unwrap_err();
        assert!(
            matches!(&error, PublishError::Failed(message) if message.contains(advice)),
            "{error:?}"
        );
    }
    let server = MockServer::new(|sql| {
        if sql.contains("SELECT [loan_id]") { Answer::Disconnect } else { default_answer(sql) }
    });
    let error = read_from(&server).await.unwrap_err().to_string();
    assert!(error.contains("reading loan: ") && error.contains("host and port"), "{error}");
    assert_eq!(server.batches().iter().filter(|sql| *sql == "LOGIN").count(), 4);
    let server = MockServer::new(|_| Answer::Silence);
    let url = format!("{}&timeout=1", server.url());
    let error = read(&url.parse().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 1 s") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_table_without_read_permission_is_a_fault_and_not_an_empty_table() {
    // The catalog does not list tables that the user may not see.
    let server = MockServer::new(|sql| match sql {
        // Nor does it list a synonym of a table in another database.
        _ if sql.contains("TOP (0)") && sql.contains("[pscat_pools]") => Answer::Done,
        _ if sql.contains("TOP (0)") && sql.contains("[pfill_lockdown_guide]") => Answer::Error(
            229,
            "The SELECT permission was denied on the object 'pfill_lockdown_guide'",
        ),
        other => default_answer(other),
    });
    let read = read_from(&server).await.unwrap();
    let unreadable = read.faults.iter().filter(|fault| fault.code != FaultCode::MissingTable);
    let unreadable: Vec<_> = unreadable.collect();
    let [pools, lockdown] = unreadable.as_slice() else { panic!("{:?}", read.faults) };
    assert_eq!(
        (pools.table.as_str(), lockdown.table.as_str()),
        ("pscat_pools", "pfill_lockdown_guide")
    );
    assert!(pools.reason.contains("make a view of it"), "{pools:?}");
    assert!(lockdown.reason.starts_with("dbo.pfill_lockdown_guide: "), "{lockdown:?}");
}
