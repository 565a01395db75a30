//! What the driver makes of what servers send, without one: columns and values of every type as bytes, errors by their
//! numbers, connections that end. `adapters/cli/tests/sqlserver` does the same things with a live server.

mod server;
mod types;

use powerfill_ports::publishing::PublishError;
use powerfill_snapshot::{FaultCode, RawSnapshot};
use powerfill_sqlserver::migrate::{Tables, migrate};
use powerfill_sqlserver::source::{SourceUnreadable, read};
use server::{Answer, Canned, Column};
use types::{
    bit, date, datetime, datetime2, days, fine, float, int, moment, nchar, numeric, nvarchar,
    nvarchar_max, parts, units, uuid, whole, words,
};

/// 2026-01-15 from 0001-01-01, and from 1900-01-01.
const DAY: u32 = 739_630;
const DAY_FROM_1900: i32 = 46_035;

async fn reading(server: &Canned) -> Result<RawSnapshot, SourceUnreadable> {
    read(&server.url().parse().unwrap()).await
}

/// The catalog: one table `loan` with these columns.
fn catalog(columns: &[(&'static str, &'static str)]) -> Answer {
    let rows =
        columns.iter().map(|(name, of)| ["loan", name, of].map(|text| words(Some(text))).to_vec());
    Answer::Rows(["t", "c", "d"].map(nvarchar).to_vec(), rows.collect())
}

const ONE: &[(&str, &str)] = &[("loan_id", "nvarchar")];

/// The other tables that must be there.
const MISSING: usize = 5;

/// What a database with that one table says, but for what is said first.
fn usual(sql: &str) -> Answer {
    match sql {
        _ if sql.contains("INFORMATION_SCHEMA") => catalog(ONE),
        _ if sql.contains("SELECT TOP (0)") && !sql.contains("[loan]") => {
            Answer::Error(208, "Invalid object name")
        }
        _ if sql.contains("SELECT [loan_id]") => {
            Answer::Rows(vec![nvarchar("loan_id")], vec![vec![words(Some("LN1"))]])
        }
        _ => Answer::Done,
    }
}

#[tokio::test]
async fn every_type_is_read_exactly_or_refused() {
    let long = "x".repeat(3_000);
    let values: Vec<(Column, Vec<u8>, &str)> = vec![
        (nvarchar("name"), words(Some("Zürich 日本 🏠")), "Zürich 日本 🏠"),
        (nvarchar("null_name"), words(None), ""),
        (nchar("padded"), words(Some("LN1   ")), "LN1"),
        (nvarchar_max("rule"), parts(&["fico >= ", "700"]), "fico >= 700"),
        (nvarchar_max("long"), parts(&[&long, &long]), "long"),
        (int("tiny", 1), whole(Some(&[200])), "200"),
        (int("small", 2), whole(Some(&(-5_i16).to_le_bytes())), "-5"),
        (int("int", 4), whole(Some(&1_001_i32.to_le_bytes())), "1001"),
        (int("big", 8), whole(Some(&i64::MIN.to_le_bytes())), "-9223372036854775808"),
        (int("null_int", 4), whole(None), ""),
        (bit("yes"), whole(Some(&[1])), "Y"),
        (bit("no"), whole(Some(&[0])), "N"),
        (numeric("amount", 19, 2), units(Some(30_000_000)), "300000.00"),
        (numeric("small_minus", 11, 8), units(Some(-5)), "-0.00000005"),
        (
            numeric("huge", 38, 10),
            units(Some(i128::from(u64::MAX) * 1_000_000_007)),
            "1844674420283676013.0966861305",
        ),
        (numeric("null_amount", 19, 2), units(None), ""),
        (date("day"), days(Some(DAY)), "2026-01-15"),
        (date("null_day"), days(None), ""),
        (datetime("midnight"), moment(DAY_FROM_1900, 0), "2026-01-15"),
        (datetime2("fine_midnight"), fine(0, DAY), "2026-01-15"),
        (uuid("id"), whole(Some(&[0x11; 16])), "11111111-1111-1111-1111-111111111111"),
    ];
    let unfit = [
        (datetime("noon"), moment(DAY_FROM_1900, 43_200 * 300)),
        (datetime2("late"), fine(1, DAY)),
    ];
    let floats = (float("weight"), whole(Some(&0.1_f64.to_le_bytes())));
    let (columns, cells): (Vec<Column>, Vec<Vec<u8>>) = values
        .iter()
        .map(|(column, cell, _)| (column.clone(), cell.clone()))
        .chain(unfit)
        .chain([floats])
        .unzip();
    let named: Vec<(&str, &str)> = columns.iter().map(|Column(name, _)| (*name, "any")).collect();
    let server = Canned::new(move |sql| match sql {
        _ if sql.contains("INFORMATION_SCHEMA") => catalog(&named),
        _ if sql.contains("SELECT [name]") => {
            Answer::Rows(columns.clone(), vec![cells.clone(), cells.clone()])
        }
        other => usual(other),
    });
    let read = reading(&server).await.unwrap();
    assert_eq!((read.faults.len(), read.warnings.len()), (MISSING, 0), "{:?}", read.faults);
    let loan = &read.tables[0];
    assert_eq!((loan.name(), loan.rows()), ("loan", 2));
    for (at, (Column(name, _), _, expected)) in values.iter().enumerate() {
        let expected = if *name == "long" { long.repeat(2) } else { (*expected).to_owned() };
        assert_eq!(loan.cell(1, at).trim_end_matches(' '), expected, "{name}");
    }
    // What is no exact value is refused where it stands, as the report says.
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
    assert!(reading(&Canned::new(usual)).await.unwrap().warnings.is_empty());
    let mut snapshot = false;
    let server = Canned::new(move |sql| {
        if sql.contains("ISOLATION LEVEL") {
            snapshot = sql.contains("ISOLATION LEVEL SNAPSHOT");
        }
        match sql.contains("SELECT [loan_id]") && snapshot {
            true => {
                Answer::Error(3_952, "Snapshot isolation transaction failed accessing database")
            }
            false => usual(sql),
        }
    });
    let read = reading(&server).await.unwrap();
    assert_eq!((read.tables.len(), read.tables[0].rows()), (1, 1));
    assert_eq!(read.warnings.len(), 1);
    assert!(read.warnings[0].contains("ALLOW_SNAPSHOT_ISOLATION"), "{:?}", read.warnings);
    assert!(server.heard().iter().any(|sql| sql.contains("READ COMMITTED")));
}

#[tokio::test]
async fn what_passes_is_tried_again_from_the_beginning() {
    for passing in [
        Answer::Error(1_205, "Transaction was deadlocked"),
        Answer::Error(1_222, "Lock request time out period exceeded"),
        Answer::Error(40_613, "Database is not currently available"),
        Answer::Gone,
    ] {
        for at in
            ["LOGIN", "INFORMATION_SCHEMA", "TOP (0)", "BEGIN TRANSACTION", "SELECT [loan_id]"]
        {
            let (mut first, passing) = (true, passing.clone());
            let server = Canned::new(move |sql| {
                match sql.contains(at) && std::mem::replace(&mut first, false) {
                    true => passing.clone(),
                    false => {
                        first &= !sql.contains(at);
                        usual(sql)
                    }
                }
            });
            let read = reading(&server).await.unwrap_or_else(|fault| panic!("{at}: {fault}"));
            assert_eq!((read.tables[0].rows(), read.faults.len()), (1, MISSING), "{at}");
            assert!(server.heard().iter().filter(|sql| *sql == "LOGIN").count() > 1, "{at}");
        }
    }
}

#[tokio::test]
async fn what_fails_is_said_with_what_to_do_and_without_secrets() {
    for (number, words) in [
        (18_456, "the user and the password"),
        (4_060, "the database's name"),
        (916, "what to grant"),
    ] {
        let server = Canned::new(move |_| Answer::Error(number, "refused"));
        let fault = reading(&server).await.unwrap_err();
        let said = format!("{fault} {fault:?}");
        assert!(said.contains(words) && said.contains(&number.to_string()), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(server.heard().len(), 1, "it is not tried again");
        let url = server.url().parse().unwrap();
        let fault = migrate(&url, Tables::Outputs).await.unwrap_err();
        assert!(matches!(&fault, PublishError::Failed(said) if said.contains(words)), "{fault:?}");
    }
    let server =
        Canned::new(|sql| if sql.contains("SELECT [loan_id]") { Answer::Gone } else { usual(sql) });
    let fault = reading(&server).await.unwrap_err().to_string();
    assert!(fault.contains("reading loan: ") && fault.contains("host and port"), "{fault}");
    assert_eq!(server.heard().iter().filter(|sql| *sql == "LOGIN").count(), 4);
    let server = Canned::new(|_| Answer::Silence);
    let url = format!("{}&timeout=1", server.url());
    let fault = read(&url.parse().unwrap()).await.unwrap_err().to_string();
    assert!(fault.contains("no answer within 1 s") && !fault.contains("s3cret"), "{fault}");
}

#[tokio::test]
async fn a_table_that_may_not_be_read_is_a_fault_and_not_an_empty_table() {
    // The catalog does not list what somebody may not see.
    let server = Canned::new(|sql| match sql {
        // A synonym of a table elsewhere is not listed either.
        _ if sql.contains("TOP (0)") && sql.contains("[pscat_pools]") => Answer::Done,
        _ if sql.contains("TOP (0)") && sql.contains("[pfill_lockdown_guide]") => Answer::Error(
            229,
            "The SELECT permission was denied on the object 'pfill_lockdown_guide'",
        ),
        other => usual(other),
    });
    let read = reading(&server).await.unwrap();
    let there = read.faults.iter().filter(|fault| fault.code != FaultCode::MissingTable);
    let there: Vec<_> = there.collect();
    let [pools, lockdown] = there.as_slice() else { panic!("{:?}", read.faults) };
    assert_eq!(
        (pools.table.as_str(), lockdown.table.as_str()),
        ("pscat_pools", "pfill_lockdown_guide")
    );
    assert!(pools.reason.contains("make a view of it"), "{pools:?}");
    assert!(lockdown.reason.starts_with("dbo.pfill_lockdown_guide: "), "{lockdown:?}");
}
