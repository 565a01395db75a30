//! Written workbooks are read back with the same types and texts.

use std::path::Path;
use std::time::{Duration, SystemTime};

use calamine::{Data, Reader, Xlsx, open_workbook};
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Money, Price, Timestamp};
use powerfill_tables::table::{Cell, Column, RowBatch, TableSpec};
use powerfill_tables::tables::run_history;
use powerfill_xlsx::{RUN_SHEET, RunWorkbook, TextSheet, read_texts};
use proptest::prelude::*;

static TABLE: TableSpec = TableSpec::bare(
    "t",
    &[
        Column::text("name"),
        Column::int("whole"),
        Column::money("money"),
        Column::price("price"),
        Column::day("on"),
        Column::timestamp("at"),
    ],
);

const RUN: &str = "00000000-0000-7000-8000-000000000001";

fn run() -> RunId {
    RUN.parse().unwrap()
}

fn history() -> RowBatch {
    let mut history = RowBatch::new(&run_history::TABLE);
    let counts = r#"{"t":2,"u":0}"#;
    history.push([
        "W".into(),
        "Complete".into(),
        r#"{"scope":"closed_only","bx_price_floor":null,"max_fill_iterations":20}"#.into(),
        "=desk".into(),
        Timestamp::from_micros(1_768_435_200_000_001).into(),
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Null,
        "00ff".into(),
        Cell::Null,
        counts.into(),
    ]);
    history
}

fn save(batches: &[RowBatch], file: &Path) {
    let mut book = RunWorkbook::new(run(), Some(file), &[&TABLE]).unwrap();
    batches.iter().for_each(|batch| book.add(batch).unwrap());
    book.save(|_| true).unwrap();
}

fn rows(rows: Vec<[Cell; 6]>) -> RowBatch {
    let mut batch = RowBatch::new(&TABLE);
    rows.into_iter().for_each(|row| batch.push(row));
    batch
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn cells_have_types_and_keep_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.xlsx");
    let hostile =
        ["=1+1", "00042", "+7", "<b>&\"'", "two\nlines", "cr\r", "_x0041_", " lead", "é\u{1F600}"];
    let plain =
        |name: &str| [name.into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null];
    let mut all = vec![[
        "".into(),
        (-42_i64).into(),
        Money::from_units(123_456_789_012_345).into(),
        Price::from_units(10_115_625_000).into(),
        day("2026-01-15").into(),
        Timestamp::from_micros(1_768_435_200_000_001).into(),
    ]];
    all.push([
        "A".into(),
        i64::MAX.into(),
        Money::from_units(-1_234_567_890_123_456).into(),
        Price::from_units(-1).into(),
        day("1899-12-31").into(),
        Cell::Null,
    ]);
    all.extend(hostile.map(plain));
    save(&[rows(all), history()], &file);
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");

    let mut book: Xlsx<_> = open_workbook(&file).unwrap();
    assert_eq!(book.sheet_names(), [RUN_SHEET, "t"]);
    let cells = book.worksheet_range("t").unwrap();
    let row =
        |row: u32| (0..7).map(|c| cells.get_value((row, c)).unwrap().clone()).collect::<Vec<_>>();
    let text = |text: &str| Data::String(text.to_owned());
    let typed = row(1);
    assert_eq!(typed[..2], [text(RUN), Data::Empty]);
    assert_eq!(
        typed[2..5],
        [Data::Float(-42.0), Data::Float(1_234_567_890_123.45), Data::Float(101.15625)]
    );
    assert!(
        matches!(&typed[5], Data::DateTime(date) if date.is_datetime() && date.as_f64() == 46_037.0)
    );
    assert_eq!(typed[6], text("2026-01-15T00:00:00.000001Z"));
    // Numbers of more than 15 digits, and days before 1900-03-01, are texts.
    let [whole, money, price, on] = [2, 3, 4, 5].map(|at| row(2)[at].clone());
    assert_eq!([whole, money], ["9223372036854775807", "-12345678901234.56"].map(text));
    assert_eq!([price, on], [Data::Float(-0.000_000_01), text("1899-12-31")]);
    for (at, name) in hostile.iter().enumerate() {
        assert_eq!(row(at as u32 + 3)[1], text(name));
    }
    assert!(book.worksheet_formula("t").unwrap().is_empty());
}

#[test]
fn the_first_sheet_has_the_summary_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.xlsx");
    save(&[history(), rows(Vec::new())], &file);
    let sheets = read_texts(&file).unwrap();
    let [summary, table] = sheets.as_slice() else { panic!("{sheets:?}") };
    assert_eq!(summary.header, ["field", "value"]);
    let fields: Vec<(&str, &str)> =
        summary.rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    for field in [
        ("run_id", RUN),
        ("tenant_id", "W"),
        ("status", "Complete"),
        ("options scope", "closed_only"),
        ("options bx_price_floor", ""),
        ("options max_fill_iterations", "20"),
        ("requested_by", "=desk"),
        ("requested_at", "2026-01-15T00:00:00.000001Z"),
        ("input_digest", "00ff"),
        ("counts t", "2"),
    ] {
        assert!(fields.contains(&field), "{field:?} is not in {fields:?}");
    }
    let header = ["Run ID", "Name", "Whole", "Money", "Price", "On", "At"];
    let header = header.map(str::to_owned).into();
    let empty = TextSheet { name: "t".into(), header, rows: vec![] };
    assert_eq!(*table, empty);
}

/// The same rows give the same bytes, whatever the batches and the time of writing.
#[test]
fn the_bytes_depend_only_on_the_rows() {
    let row = |name: &str| {
        let at: Cell = Timestamp::from_micros(7).into();
        [name.into(), 1_i64.into(), Money::whole(3).into(), Cell::Null, Cell::Null, at]
    };
    let bytes = |batches: &[RowBatch]| {
        let mut book = RunWorkbook::new(run(), None, &[&TABLE]).unwrap();
        batches.iter().for_each(|batch| book.add(batch).unwrap());
        book.into_bytes(|_| true).unwrap()
    };
    let whole = bytes(&[rows(vec![row("A"), row("B")]), history()]);
    // The time in a package has a resolution of two seconds.
    let period = || SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 2;
    let written_in = period();
    while period() == written_in {
        std::thread::sleep(Duration::from_millis(10));
    }
    let split = bytes(&[rows(vec![row("A")]), history(), rows(vec![row("B")])]);
    assert!(whole == split);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.xlsx");
    save(&[rows(vec![row("A"), row("B")]), history()], &file);
    assert!(std::fs::read(&file).unwrap() == whole);
    assert!(bytes(&[rows(vec![row("A")]), history()]) != whole);
}

#[test]
fn a_failed_write_leaves_the_former_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.xlsx");
    std::fs::write(&file, "a former one").unwrap();
    let mut book = RunWorkbook::new(run(), Some(&file), &[&TABLE]).unwrap();
    let long = "x".repeat(32_768);
    let row = [long.as_str().into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null];
    let error = book.add(&rows(vec![row])).unwrap_err().to_string();
    assert!(error.contains("run.xlsx cannot be written") && error.contains("32,767"), "{error}");
    drop(book);
    assert_eq!(std::fs::read(&file).unwrap(), b"a former one");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let occupied = folder.path().join("occupied");
    std::fs::create_dir_all(occupied.join("by a folder")).unwrap();
    let book = RunWorkbook::new(run(), Some(&occupied), &[&TABLE]).unwrap();
    assert!(book.save(|_| true).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let missing = folder.path().join("no such folder/run.xlsx");
    let error = RunWorkbook::new(run(), Some(&missing), &[&TABLE]).err().unwrap().to_string();
    assert!(error.contains("cannot be written"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_values_are_read_back(
        cells in prop::collection::vec(
            (".{0,40}", any::<i64>(), any::<i64>(), 0_i32..3_652_059, 0_u32..18),
            1..20,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.xlsx");
        let mut expected = Vec::new();
        let mut all = Vec::new();
        for (name, money, price, days, shift) in cells {
            // Numbers of all lengths, not only of 19 digits.
            let (money, price) = (money >> (shift * 3), price >> (shift * 3));
            let on = day("0001-01-01").plus(days);
            let (money, price) = (Money::from_units(money), Price::from_units(price));
            expected.push([
                RUN.to_owned(),
                name.trim_end_matches(' ').to_owned(),
                shift.to_string(),
                money.to_string(),
                price.to_string(),
                on.to_string(),
            ]);
            let whole = i64::from(shift);
            all.push([
                name.as_str().into(),
                whole.into(),
                money.into(),
                price.into(),
                on.into(),
                Cell::Name("at"),
            ]);
        }
        let mut batch = RowBatch::new(&TABLE);
        all.into_iter().for_each(|row| batch.cells.extend(row));
        save(&[batch], &file);
        let sheets = read_texts(&file).unwrap();
        let texts = |row: &Vec<String>| {
            let [run, name, whole, on] = [0, 1, 2, 5].map(|at| row[at].clone());
            [run, name, whole, padded(&row[3], 2), padded(&row[4], 8), on]
        };
        let read: Vec<[String; 6]> = sheets[1].rows.iter().map(texts).collect();
        prop_assert_eq!(read, expected);
    }
}

/// The text with all decimals of its column: a number in a workbook does not keep trailing zeros.
fn padded(text: &str, scale: usize) -> String {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{decimals:0<scale$}")
}
