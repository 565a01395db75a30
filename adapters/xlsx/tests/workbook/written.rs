//! What is written is read back as it was, by types as well as by texts.

use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Money, Price, Timestamp};
use powerfill_tables::table::{Cell, Column, RowBatch, TableSpec};
use powerfill_tables::tables::run_history;
use powerfill_xlsx::{RUN_SHEET, RunBook, Sheet, read_texts};
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

fn written(batches: &[RowBatch], place: &Path) {
    let mut book = RunBook::new(run(), Some(place), &[&TABLE]).unwrap();
    batches.iter().for_each(|batch| book.take(batch).unwrap());
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
fn cells_have_types_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("run.xlsx");
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
    written(&[rows(all), history()], &place);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");

    let mut book: Xlsx<_> = open_workbook(&place).unwrap();
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
    // More than 15 digits, or a day that Excel does not have: text.
    let [whole, money, price, on] = [2, 3, 4, 5].map(|at| row(2)[at].clone());
    assert_eq!([whole, money], ["9223372036854775807", "-12345678901234.56"].map(text));
    assert_eq!([price, on], [Data::Float(-0.000_000_01), text("1899-12-31")]);
    for (at, name) in hostile.iter().enumerate() {
        assert_eq!(row(at as u32 + 3)[1], text(name));
    }
    assert!(book.worksheet_formula("t").unwrap().is_empty());
}

#[test]
fn the_first_sheet_says_what_the_run_was() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("run.xlsx");
    written(&[history(), rows(Vec::new())], &place);
    let sheets = read_texts(&place).unwrap();
    let [said, table] = sheets.as_slice() else { panic!("{sheets:?}") };
    assert_eq!(said.header, ["field", "value"]);
    let fields: Vec<(&str, &str)> =
        said.rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
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
    let header = ["run_id", "name", "whole", "money", "price", "on", "at"];
    let empty = Sheet { name: "t".into(), header: header.map(str::to_owned).into(), rows: vec![] };
    assert_eq!(*table, empty);
}

/// The same rows give the same bytes, however they were cut and whenever they are written.
#[test]
fn the_bytes_depend_on_the_rows_alone() {
    let row = |name: &str| {
        let at: Cell = Timestamp::from_micros(7).into();
        [name.into(), 1_i64.into(), Money::whole(3).into(), Cell::Null, Cell::Null, at]
    };
    let bytes = |batches: &[RowBatch]| {
        let mut book = RunBook::new(run(), None, &[&TABLE]).unwrap();
        batches.iter().for_each(|batch| book.take(batch).unwrap());
        book.into_bytes(|_| true).unwrap()
    };
    let whole = bytes(&[rows(vec![row("A"), row("B")]), history()]);
    // The clock of a package ticks every two seconds, that of its properties every second.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let cut = bytes(&[rows(vec![row("A")]), history(), rows(vec![row("B")])]);
    assert!(whole == cut);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("run.xlsx");
    written(&[rows(vec![row("A"), row("B")]), history()], &place);
    assert!(std::fs::read(&place).unwrap() == whole);
    assert!(bytes(&[rows(vec![row("A")]), history()]) != whole);
}

#[test]
fn a_workbook_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("run.xlsx");
    std::fs::write(&place, "a former one").unwrap();
    let mut book = RunBook::new(run(), Some(&place), &[&TABLE]).unwrap();
    let long = "x".repeat(32_768);
    let row = [long.as_str().into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null];
    let refused = book.take(&rows(vec![row])).unwrap_err().to_string();
    assert!(
        refused.contains("run.xlsx cannot be written") && refused.contains("32,767"),
        "{refused}"
    );
    drop(book);
    assert_eq!(std::fs::read(&place).unwrap(), b"a former one");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("by a folder")).unwrap();
    let book = RunBook::new(run(), Some(&taken), &[&TABLE]).unwrap();
    assert!(book.save(|_| true).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let gone = folder.path().join("no such folder/run.xlsx");
    let refused = RunBook::new(run(), Some(&gone), &[&TABLE]).err().unwrap().to_string();
    assert!(refused.contains("cannot be written"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any text, any money, any price, any day.
    #[test]
    fn whatever_is_written_is_read_back(
        cells in prop::collection::vec((".{0,40}", any::<i64>(), any::<i64>(), 0_i32..3_652_059, 0_u32..18), 1..20)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("run.xlsx");
        let mut expected = Vec::new();
        let mut all = Vec::new();
        for (name, money, price, days, shift) in cells {
            // Cells of many lengths, not only of 19 digits.
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
            all.push([name.as_str().into(), whole.into(), money.into(), price.into(), on.into(), Cell::Name("at")]);
        }
        let mut batch = RowBatch::new(&TABLE);
        all.into_iter().for_each(|row| batch.cells.extend(row));
        written(&[batch], &place);
        let sheets = read_texts(&place).unwrap();
        let read: Vec<[String; 6]> = sheets[1].rows.iter().map(|row| [
            row[0].clone(), row[1].clone(), row[2].clone(), padded(&row[3], 2), padded(&row[4], 8), row[5].clone(),
        ]).collect();
        prop_assert_eq!(read, expected);
    }
}

/// The decimals of a column, which a number in a workbook does not keep.
fn padded(text: &str, scale: usize) -> String {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{decimals:0<scale$}")
}
