//! Rows on their way into the database and back (specification 4.1): they are sent as texts into a
//! temporary table, the server casts them to the types of the output tables, and they are read
//! back.
//!
//! They are sent as texts, because a server's bulk insert may silently change decimals. They are
//! read back, because only that shows what the server stored.

use std::borrow::Cow;

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Timestamp};
use powerfill_tables::csv::write_text;
use powerfill_tables::digest::TableDigest;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableRef, TableSpec};
use rust_decimal::Decimal;
use tiberius::error::Error;
use tiberius::numeric::Numeric;
use tiberius::time::DateTime2;
use tiberius::{ColumnData, QueryItem, TokenRow};

use crate::cell::iso_day;
use crate::connect::{Connection, batch, quoted};
use crate::types::{SqlType, is_nullable, sql_type, staging};

/// The length of a column that receives numbers or moments as texts.
const NUMBER_TEXT_LENGTH: u16 = 60;

/// Why rows cannot be staged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StagingError {
    #[error(transparent)]
    Server(#[from] Error),
    #[error("{table}.{column} has room for {room} characters, and {value:?} has {length}")]
    TooLong { table: &'static str, column: &'static str, room: u16, length: usize, value: String },
}

fn temporary_table(table: &TableSpec) -> String {
    format!("#{}__arriving", table.name)
}

/// The columns of a table, separated by commas.
pub(crate) fn column_list(table: &TableSpec) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(column.name)).collect();
    columns.join(", ")
}

/// Creates the empty temporary table.
pub(crate) async fn begin(client: &mut Connection, table: &TableSpec) -> Result<(), Error> {
    let columns = table.columns.iter().map(|column| {
        let text_type = match sql_type(column) {
            text @ SqlType::Text(_) => text,
            _ => SqlType::Text(Some(NUMBER_TEXT_LENGTH)),
        };
        format!(", {} {text_type} NULL", quoted(column.name))
    });
    let columns: String = columns.collect();
    let name = temporary_table(table);
    let sql = format!("CREATE TABLE {name} (row_no BIGINT NOT NULL{columns})");
    batch(client, &sql).await.map(drop)
}

/// Sends rows, numbered from `first`.
pub(crate) async fn send(
    client: &mut Connection,
    rows: &RowBatch,
    first: i64,
) -> Result<(), StagingError> {
    let name = temporary_table(rows.table);
    let mut bulk = client.bulk_insert(&name).await?;
    for (row_no, row) in (first..).zip(rows.rows()) {
        let mut values = TokenRow::with_capacity(row.len() + 1);
        values.push(ColumnData::I64(Some(row_no)));
        for (column, cell) in rows.table.columns.iter().zip(row) {
            let text = text(rows.table, column, cell)?;
            values.push(ColumnData::String(text.map(Cow::Owned)));
        }
        bulk.send(values).await?;
    }
    bulk.finalize().await?;
    Ok(())
}

/// The text to send for a value; `None` for NULL. An empty text is NULL if the column may be NULL.
fn text(table: &TableSpec, column: &Column, cell: &Cell) -> Result<Option<String>, StagingError> {
    let mut bytes = Vec::new();
    write_text(cell, &mut bytes);
    let mut text = String::from_utf8(bytes).expect("the canonical text is UTF-8");
    if text.is_empty() {
        let is_null = *cell == Cell::Null || is_nullable(table, column);
        return Ok((!is_null).then_some(text));
    }
    match sql_type(column) {
        // DATETIME2 has no time zone; all moments are UTC.
        SqlType::Moment => text.truncate(text.trim_end_matches('Z').len()),
        SqlType::Text(Some(room)) => {
            let length = text.encode_utf16().count();
            if length > usize::from(room) {
                let (table, column) = (table.name, column.name);
                return Err(StagingError::TooLong { table, column, room, length, value: text });
            }
        }
        _ => {}
    }
    Ok(Some(text))
}

/// Moves the rows from the temporary table to the staging table; the server casts them.
pub(crate) async fn cast(
    client: &mut Connection,
    schema: &str,
    table: &TableSpec,
    run: RunId,
) -> Result<(), Error> {
    let cast = |column: &Column| match sql_type(column) {
        SqlType::Text(_) => quoted(column.name),
        sql_type => format!("CAST({} AS {sql_type})", quoted(column.name)),
    };
    let values: Vec<String> = table.columns.iter().map(cast).collect();
    let sql = format!(
        "INSERT INTO {}.{} (row_no, run_id, {}) \
         SELECT row_no, CAST(N'{run}' AS UNIQUEIDENTIFIER), {} FROM {}",
        quoted(schema),
        quoted(&staging(table)),
        column_list(table),
        values.join(", "),
        temporary_table(table)
    );
    batch(client, &sql).await?;
    batch(client, &format!("DROP TABLE {}", temporary_table(table))).await.map(drop)
}

/// Reads the staged rows back, in their order.
pub(crate) async fn read_back(
    client: &mut Connection,
    schema: &str,
    table: TableRef,
) -> Result<TableDigest, Error> {
    let (columns, from) = (column_list(table), quoted(&staging(table)));
    let sql = format!("SELECT {columns} FROM {}.{from} ORDER BY row_no", quoted(schema));
    let mut digest = TableDigest::new(table);
    let mut items = client.simple_query(sql).await?;
    let mut cells = Vec::with_capacity(table.columns.len());
    while let Some(item) = items.try_next().await? {
        let QueryItem::Row(row) = item else { continue };
        cells.clear();
        for (column, (_, value)) in table.columns.iter().zip(row.cells()) {
            let cell = to_cell(column.cell_type, value).ok_or_else(|| {
                let (table, column) = (table.name, column.name);
                Error::Conversion(format!("{table}.{column} was read back as {value:?}").into())
            })?;
            cells.push(cell);
        }
        digest.row(&cells);
    }
    Ok(digest)
}

/// A value that was read back; `None` if it does not have the type of the column.
fn to_cell(cell_type: CellType, value: &ColumnData<'_>) -> Option<Cell> {
    Some(match (cell_type, value) {
        (CellType::Text | CellType::Json, ColumnData::String(text)) => {
            text.as_ref().map_or(Cell::Null, |text| text.as_ref().into())
        }
        (CellType::Int, ColumnData::I64(number)) => (*number).into(),
        (CellType::Decimal(scale), ColumnData::Numeric(number)) => match number {
            None => Cell::Null,
            Some(number) => Cell::Decimal(decimal(*number, scale)?),
        },
        (CellType::Day, ColumnData::Date(day)) => match day {
            None => Cell::Null,
            Some(day) => Cell::Day(to_day(day.days().into())?),
        },
        (CellType::Timestamp, ColumnData::DateTime2(moment)) => match moment {
            None => Cell::Null,
            Some(moment) => Cell::Timestamp(timestamp(moment)?),
        },
        _ => return None,
    })
}

fn decimal(number: Numeric, scale: u8) -> Option<Decimal> {
    if number.scale() != scale {
        return None;
    }
    Decimal::try_from_i128_with_scale(number.value(), u32::from(scale)).ok()
}

fn to_day(days_since_year_one: i64) -> Option<Day> {
    iso_day(days_since_year_one).parse().ok()
}

fn timestamp(moment: &DateTime2) -> Option<Timestamp> {
    let (scale, increments) = (u32::from(moment.time().scale()), moment.time().increments());
    let micros = match scale.checked_sub(6) {
        Some(finer) => increments / 10_u64.pow(finer),
        None => increments * 10_u64.pow(6 - scale),
    };
    let day = to_day(moment.date().days().into())?;
    let midnight = Timestamp::start_of(day).micros();
    Some(Timestamp::from_micros(midnight + i64::try_from(micros).ok()?))
}

#[cfg(test)]
mod tests {
    use powerfill_tables::tables::{kickout, loan_constraint_pool, run_history, trade_recap};
    use tiberius::time::{Date, Time};

    use super::*;

    fn column(table: TableRef, name: &str) -> &'static Column {
        table.columns.iter().find(|column| column.name == name).unwrap()
    }

    fn sent_text(table: TableRef, name: &str, cell: impl Into<Cell>) -> Option<String> {
        text(table, column(table, name), &cell.into()).unwrap()
    }

    #[test]
    fn values_are_sent_as_canonical_texts() {
        let recap = &trade_recap::TABLE;
        assert_eq!(sent_text(recap, "filled_amount", Cell::Fixed(-5, 2)).as_deref(), Some("-0.05"));
        assert_eq!(sent_text(recap, "trade_id", "T 'x'").as_deref(), Some("T 'x'"));
        assert_eq!(sent_text(recap, "wavg_price", Cell::Null), None);
        let moment = sent_text(&run_history::TABLE, "requested_at", Timestamp::from_micros(1));
        assert_eq!(moment.as_deref(), Some("1970-01-01T00:00:00.000001"));
        // An empty text is NULL, except in a key.
        assert_eq!(sent_text(&kickout::TABLE, "pool_name", ""), None);
        let key_column = sent_text(&loan_constraint_pool::TABLE, "constraint_name", "");
        assert_eq!(key_column.as_deref(), Some(""));
    }

    #[test]
    fn a_text_that_is_too_long_is_rejected_with_its_column() {
        let recap = &trade_recap::TABLE;
        assert!(sent_text(recap, "trade_id", "x".repeat(100)).is_some());
        // This character has two UTF-16 units.
        let long = Cell::from("🏠".repeat(51));
        let error = text(recap, column(recap, "trade_id"), &long).unwrap_err().to_string();
        let start = "pfill_trade_recap.trade_id has room for 100 characters";
        assert!(error.starts_with(start), "{error}");
        assert!(error.ends_with("has 102"), "{error}");
    }

    #[test]
    fn values_read_back_must_have_type_and_scale_of_their_column() {
        let numeric =
            |value, scale| ColumnData::Numeric(Some(Numeric::new_with_scale(value, scale)));
        let cell = |value| to_cell(CellType::Decimal(2), &value);
        assert_eq!(cell(numeric(-5, 2)), Some(Cell::Decimal(Decimal::new(-5, 2))));
        assert_eq!(cell(numeric(-50, 3)), None);
        assert_eq!(cell(numeric(i128::MAX, 2)), None);
        assert_eq!(cell(ColumnData::Numeric(None)), Some(Cell::Null));
        assert_eq!(cell(ColumnData::I64(Some(1))), None);
        let day = Date::new(719_162);
        let cell = |increments, scale| {
            let moment = DateTime2::new(day, Time::new(increments, scale));
            to_cell(CellType::Timestamp, &ColumnData::DateTime2(Some(moment)))
        };
        for (increments, scale) in [(10, 7), (1, 6)] {
            assert_eq!(cell(increments, scale), Some(Cell::Timestamp(Timestamp::from_micros(1))));
        }
        assert_eq!(cell(1, 3), Some(Cell::Timestamp(Timestamp::from_micros(1_000))));
        let date = to_cell(CellType::Day, &ColumnData::Date(Some(day)));
        assert_eq!(date, Some(Cell::Day("1970-01-01".parse().unwrap())));
    }
}
