//! Rows that were written are read again by another implementation of the format's rules: the
//! reader of the `parquet` crate.

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Timestamp};
use powerfill_parquet::TableFile;
use powerfill_tables::table::{Cell, Column, RowBatch, TableSpec};
use rust_decimal::Decimal;

static TABLE: TableSpec = TableSpec::bare(
    "cells",
    &[
        Column::text("loan_id"),
        Column::int("rank"),
        Column::money("amount"),
        Column::ratio("wavg_price"),
        Column::day("settlement_date"),
        Column::timestamp("requested_at"),
    ],
);

const RUN: RunId = RunId(uuid::Uuid::from_u128(7));

fn written(rows: &[[Cell; 6]]) -> Vec<u8> {
    let mut file = TableFile::new(Vec::new(), &TABLE, RUN).expect("a file");
    for row in rows {
        let mut batch = RowBatch::new(&TABLE);
        batch.push(row.clone());
        file.add(batch).expect("rows are added");
    }
    file.finish().expect("the file is complete")
}

/// The fields of each row as text.
fn read(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let reader = SerializedFileReader::new(Bytes::from(bytes)).expect("a Parquet file");
    reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| {
            let row = row.expect("a row");
            row.get_column_iter()
                .map(|(_, field)| match field {
                    Field::Str(text) => text.clone(),
                    other => other.to_string(),
                })
                .collect()
        })
        .collect()
}

#[test]
fn each_type_of_cell_is_read_as_it_was_written() {
    let largest = [
        Cell::from("L1"),
        Cell::Int(i64::MAX),
        Cell::Fixed(i64::MAX, 2),
        Cell::Decimal(Decimal::from_i128_with_scale(79_228_162_514_264_337_593_543_950_335, 6)),
        Cell::Day(Day::EPOCH.plus(20_468)),
        Cell::Timestamp(Timestamp::from_micros(1_768_435_200_123_456)),
    ];
    let negative = [
        Cell::Name("Leaving"),
        Cell::Int(-1),
        Cell::Fixed(-5, 2),
        Cell::Fixed(-1, 6),
        Cell::Day(Day::EPOCH.plus(-1)),
        Cell::Timestamp(Timestamp::from_micros(-1)),
    ];
    let nothing = [const { Cell::Null }; 6];
    let run = RUN.to_string();
    let rows = read(written(&[largest, negative, nothing]));
    assert_eq!(
        rows[0],
        [
            &run,
            "L1",
            "9223372036854775807",
            "92233720368547758.07",
            "79228162514264337593543.950335",
            "2026-01-15",
            "2026-01-15 00:00:00.123456 +00:00",
        ]
    );
    assert_eq!(rows[1][..5], [&run, "Leaving", "-1", "-0.05", "-0.000001"]);
    assert_eq!(rows[1][5..], ["1969-12-31", "1969-12-31 23:59:59.999999 +00:00"]);
    assert_eq!(rows[2], [&run, "null", "null", "null", "null", "null", "null"]);
    assert_eq!(rows.len(), 3);
}

#[test]
fn many_rows_are_in_groups_and_in_order() {
    let mut file = TableFile::new(Vec::new(), &TABLE, RUN).expect("a file");
    let count = 150_000_usize;
    for start in (0..count).step_by(10_000) {
        let mut batch = RowBatch::new(&TABLE);
        for at in start..start + 10_000 {
            let nothing = [const { Cell::Null }; 6];
            let [_, _, rest @ ..] = nothing;
            let [a, b, c, d] = rest;
            batch.push([Cell::from(format!("L{at}")), Cell::from(at as u64), a, b, c, d]);
        }
        file.add(batch).expect("rows are added");
    }
    let bytes = file.finish().expect("the file is complete");
    let reader = SerializedFileReader::new(Bytes::from(bytes.clone())).expect("a Parquet file");
    assert_eq!(reader.num_row_groups(), 3);
    let rows = read(bytes);
    assert_eq!(rows.len(), count);
    assert!(rows.iter().enumerate().all(|(at, row)| row[2] == at.to_string()));
}

#[test]
fn the_same_rows_give_the_same_bytes_and_no_rows_a_valid_file() {
    let row =
        [Cell::from("L1"), Cell::Int(1), Cell::Fixed(1, 2), Cell::Null, Cell::Null, Cell::Null];
    assert_eq!(written(std::slice::from_ref(&row)), written(&[row]));
    assert!(read(written(&[])).is_empty());
}
