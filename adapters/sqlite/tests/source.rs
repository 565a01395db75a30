//! A database is read as the folder of the same tables is.

use std::path::{Path, PathBuf};

use powerfill_csv::read_folder;
use powerfill_snapshot::{FaultReport, IgnoredPart, RawSnapshot, validate};
use powerfill_sqlite::source::read;
use rusqlite::Connection;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

/// The same tables in a database: an empty cell as NULL, whole numbers as INTEGER, the rest as
/// TEXT.
fn load(raw: &RawSnapshot, path: &Path) {
    let mut database = Connection::open(path).unwrap();
    let transaction = database.transaction().unwrap();
    for table in &raw.tables {
        let columns: Vec<String> = table.columns().iter().map(|c| format!("{c:?}")).collect();
        let create =
            format!("CREATE TABLE {} ({})", table.name().to_uppercase(), columns.join(","));
        transaction.execute(&create, []).unwrap();
        let marks = vec!["?"; columns.len()].join(",");
        let insert = format!("INSERT INTO {} VALUES ({marks})", table.name());
        for row in 0..table.rows() {
            let cells: Vec<rusqlite::types::Value> = (0..columns.len())
                .map(|column| match table.cell(row, column) {
                    "" => rusqlite::types::Value::Null,
                    text => match text.parse::<i64>() {
                        Ok(number) if number.to_string() == text => number.into(),
                        _ => text.to_owned().into(),
                    },
                })
                .collect();
            transaction.execute(&insert, rusqlite::params_from_iter(cells)).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn script(statements: &str) -> RawSnapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    read(&path).unwrap()
}

fn faults(report: &FaultReport) -> Vec<[String; 4]> {
    let named = |fault: &powerfill_snapshot::Fault| {
        let [_, table, row, column, _, code, _] = fault.cells();
        [table, row, column, code].map(str::to_owned)
    };
    report.faults.iter().map(named).collect()
}

#[test]
fn the_digest_is_that_of_the_same_tables_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for entry in std::fs::read_dir(cases()).unwrap() {
        let case = entry.unwrap().path();
        let Ok(raw) = read_folder(&case.join("snapshot")) else { continue };
        let path = folder.path().join(case.file_name().unwrap()).with_extension("db");
        let Ok(from_csv) = validate(read_folder(&case.join("snapshot")).unwrap()) else { continue };
        load(&raw, &path);
        let from_sqlite = validate(read(&path).unwrap()).unwrap();
        assert_eq!(from_sqlite.snapshot.digest(), from_csv.snapshot.digest(), "{}", case.display());
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

const SOUND: &str = "
    CREATE TABLE snapshot (tenant_id, as_of);
    INSERT INTO snapshot VALUES ('W', '2026-01-15');
    CREATE TABLE pscat_loan_stages (stage_name, stage_rank);
    CREATE TABLE pscat_instruments (investor_id, investor_instrument_name, kind);
    INSERT INTO pscat_instruments VALUES ('FNMA', 'FN 6.0', 'tba');
    CREATE TABLE pscat_trades (trade_id, investor_instrument_name, trade_type, status, trade_amount,
                               tolerance);
    CREATE TABLE pfill_constraints (investor_id, investor_instrument_name, constraint_name,
                                    constraint_priority);
    CREATE TABLE base (loan_id, curr_status, loan_amount, note_rate, fico, score);
    CREATE VIEW Loan AS SELECT * FROM base;";

#[test]
fn views_count_as_tables_and_others_are_left_alone() {
    let raw =
        script(&format!("{SOUND} INSERT INTO base VALUES ('A', 'Closed', '1.5', 6, 700, '7');"));
    assert_eq!(raw.ignored, [IgnoredPart::Relation("base".into())]);
    let validated = validate(raw).unwrap();
    assert_eq!(validated.snapshot.loans[0].note_rate.to_string(), "6.000000");
}

#[test]
fn binary_floats_and_blobs_are_refused_and_rows_named_by_their_keys() {
    let raw = script(&format!(
        "{SOUND}
         INSERT INTO base VALUES ('A', 'Closed', 1.5, '6', 700.0, 1.5);
         INSERT INTO base VALUES ('B', x'00ff', '1.5', '6', NULL, NULL);
         INSERT INTO base VALUES ('B', CAST(x'ff' AS TEXT), '1.5', '6', NULL, NULL);
         INSERT INTO pfill_constraints VALUES ('FNMA', 'FN 6.0', NULL, -1);"
    ));
    let report = validate(raw).unwrap_err();
    let expected = [
        ["loan", "A", "loan_amount", "not_a_number"],
        ["loan", "A", "fico", "not_a_number"],
        ["loan", "A", "score", "not_allowed"],
        ["loan", "B", "curr_status", "not_allowed"],
        ["loan", "B", "loan_id", "duplicate_key"],
        ["loan", "B", "curr_status", "not_allowed"],
        ["pfill_constraints", "FNMA|FN 6.0|", "constraint_priority", "out_of_range"],
    ];
    assert_eq!(faults(&report), expected.map(|row| row.map(str::to_owned)));
}

#[test]
fn a_log_of_a_program_that_died_is_read_and_nothing_is_left_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("book.db"), folder.path().join("100% #1 ?.db"));
    let database = Connection::open(&path).unwrap();
    database.execute_batch(&format!("PRAGMA journal_mode = WAL; {SOUND}")).unwrap();
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    let count = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = count();
    for path in [&path, &copy] {
        assert!(read(path).unwrap().tables.len() > 5, "{}", path.display());
        assert_eq!(count(), before);
    }
    drop(database);
    assert!(read(&path).unwrap().tables.len() > 5);
    assert_eq!(count(), before - 2);
}

#[test]
fn a_date_at_midnight_is_a_date() {
    let digest = |as_of: &str| {
        let dated = SOUND.replace("2026-01-15", as_of);
        validate(script(&dated)).unwrap().snapshot.digest().to_owned()
    };
    assert_eq!(digest("2026-01-15 00:00:00"), digest("2026-01-15"));
    let noon = validate(script(&SOUND.replace("2026-01-15", "2026-01-15 12:00:00")));
    assert_eq!(faults(&noon.unwrap_err())[0][3], "not_a_date");
}

#[test]
fn a_broken_view_is_a_fault_of_its_table_and_a_missing_file_of_the_source() {
    let raw = script(&format!("{SOUND} CREATE VIEW loan_price AS SELECT * FROM gone;"));
    assert_eq!(
        faults(&validate(raw).unwrap_err()),
        [["loan_price", "", "", "unreadable"].map(str::to_owned)]
    );
    assert!(read(Path::new("no such.db")).is_err());
    let text = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(text.path(), "not a database at all, but a text".repeat(100)).unwrap();
    assert!(read(text.path()).is_err());
}
