//! Rows on their way into the database and back (specification 4.1): they arrive as texts, in a table of the session, are
//! cast to the types of the output tables by the server, and are read back from there.
//!
//! Texts, because a server's bulk insert may take decimals for other numbers without saying so; and what the server made
//! of them is never taken on trust.

use std::borrow::Cow;

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Timestamp};
use powerfill_tables::csv::write_text;
use powerfill_tables::digest::TableDigest;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableSpec};
use rust_decimal::Decimal;
use tiberius::error::Error;
use tiberius::numeric::Numeric;
use tiberius::{ColumnData, QueryItem, TokenRow};

use crate::connect::{Connection, batch, quoted};
use crate::types::{SqlType, is_nullable, sql_type, staging};

/// Room for the longest number or moment as a text.
const TEXT_OF_NUMBER: u16 = 60;

/// Why rows cannot be staged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageFault {
    #[error(transparent)]
    Server(#[from] Error),
    #[error("{table}.{column} has room for {room} characters, and {value:?} has {length}")]
    TooLong { table: &'static str, column: &'static str, room: u16, length: usize, value: String },
}

fn arriving(table: &TableSpec) -> String {
    format!("#{}__arriving", table.name)
}

/// The columns of a table, separated by commas.
pub(crate) fn column_list(table: &TableSpec) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(column.name)).collect();
    columns.join(", ")
}

/// Makes the table of the session, empty.
pub(crate) async fn begin(client: &mut Connection, table: &TableSpec) -> Result<(), Error> {
    let columns = table.columns.iter().map(|column| {
        let of = match sql_type(column) {
            text @ SqlType::Text(_) => text,
            _ => SqlType::Text(Some(TEXT_OF_NUMBER)),
        };
        format!(", {} {of} NULL", quoted(column.name))
    });
    let columns: String = columns.collect();
    let sql = format!("CREATE TABLE {} (row_no BIGINT NOT NULL{columns})", arriving(table));
    batch(client, &sql).await.map(drop)
}

/// Sends rows, the first of which has this number.
pub(crate) async fn send(
    client: &mut Connection,
    rows: &RowBatch,
    first: i64,
) -> Result<(), StageFault> {
    let name = arriving(rows.table);
    let mut bulk = client.bulk_insert(&name).await?;
    for (row_no, row) in (first..).zip(rows.rows()) {
        let mut sent = TokenRow::with_capacity(row.len() + 1);
        sent.push(ColumnData::I64(Some(row_no)));
        for (column, cell) in rows.table.columns.iter().zip(row) {
            let text = text(rows.table, column, cell)?;
            sent.push(ColumnData::String(text.map(Cow::Owned)));
        }
        bulk.send(sent).await?;
    }
    bulk.finalize().await?;
    Ok(())
}

/// What is sent for a value; `None` for NULL. An empty text is NULL where the column may be that.
fn text(table: &TableSpec, column: &Column, cell: &Cell) -> Result<Option<String>, StageFault> {
    let mut bytes = Vec::new();
    write_text(cell, &mut bytes);
    let mut text = String::from_utf8(bytes).expect("the canonical text is UTF-8");
    if text.is_empty() {
        let is_null = *cell == Cell::Null || is_nullable(table, column);
        return Ok((!is_null).then_some(text));
    }
    match sql_type(column) {
        SqlType::Moment => {
            // UTC is understood.
            text.truncate(text.trim_end_matches('Z').len());
        }
        SqlType::Text(Some(room)) => {
            let length = text.encode_utf16().count();
            if length > usize::from(room) {
                let (table, column) = (table.name, column.name);
                return Err(StageFault::TooLong { table, column, room, length, value: text });
            }
        }
        _ => {}
    }
    Ok(Some(text))
}

/// Has the server cast what arrived.
pub(crate) async fn cast(
    client: &mut Connection,
    schema: &str,
    table: &TableSpec,
    run: RunId,
) -> Result<(), Error> {
    let cast = |column: &Column| match sql_type(column) {
        SqlType::Text(_) => quoted(column.name),
        of => format!("CAST({} AS {of})", quoted(column.name)),
    };
    let values: Vec<String> = table.columns.iter().map(cast).collect();
    let sql = format!(
        "INSERT INTO {}.{} (row_no, run_id, {}) SELECT row_no, CAST(N'{run}' AS UNIQUEIDENTIFIER), {} FROM {}",
        quoted(schema),
        quoted(&staging(table)),
        column_list(table),
        values.join(", "),
        arriving(table)
    );
    batch(client, &sql).await?;
    batch(client, &format!("DROP TABLE {}", arriving(table))).await.map(drop)
}

/// Reads the staged rows back, in their order.
pub(crate) async fn read_back(
    client: &mut Connection,
    schema: &str,
    table: &'static TableSpec,
) -> Result<TableDigest, Error> {
    let (columns, from) = (column_list(table), quoted(&staging(table)));
    let sql = format!("SELECT {columns} FROM {}.{from} ORDER BY row_no", quoted(schema));
    let mut digest = TableDigest::new(table);
    let mut items = client.simple_query(sql).await?;
    let mut row = Vec::with_capacity(table.columns.len());
    while let Some(item) = items.try_next().await? {
        let QueryItem::Row(read) = item else { continue };
        row.clear();
        for (column, (_, value)) in table.columns.iter().zip(read.cells()) {
            let cell = cell_of(column.cell_type, value).ok_or_else(|| {
                Error::Conversion(
                    format!("{}.{} came back as {value:?}", table.name, column.name).into(),
                )
            })?;
            row.push(cell);
        }
        digest.row(&row);
    }
    Ok(digest)
}

/// A value of an output table; `None` where it is none of the column's.
fn cell_of(column: CellType, value: &ColumnData<'_>) -> Option<Cell> {
    Some(match (column, value) {
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
            Some(day) => Cell::Day(since_year_one(day.days().into())?),
        },
        (CellType::Timestamp, ColumnData::DateTime2(moment)) => match moment {
            None => Cell::Null,
            Some(moment) => {
                let scale = u32::from(moment.time().scale());
                let increments = moment.time().increments();
                let micros = match scale.checked_sub(6) {
                    Some(finer) => increments / 10_u64.pow(finer),
                    None => increments * 10_u64.pow(6 - scale),
                };
                let day = since_year_one(moment.date().days().into())?;
                let midnight = day.to_chrono().and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros();
                Cell::Timestamp(Timestamp::from_micros(midnight + i64::try_from(micros).ok()?))
            }
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

fn since_year_one(days: i64) -> Option<Day> {
    crate::cell::day(days).parse().ok()
}

#[cfg(test)]
mod tests {
    use powerfill_tables::tables::{kickout, loan_constraint_pool, run_history, trade_recap};
    use tiberius::time::{Date, DateTime2, Time};

    use super::*;

    fn column(table: &'static TableSpec, name: &str) -> &'static Column {
        table.columns.iter().find(|column| column.name == name).unwrap()
    }

    fn sent(table: &'static TableSpec, name: &str, cell: impl Into<Cell>) -> Option<String> {
        text(table, column(table, name), &cell.into()).unwrap()
    }

    #[test]
    fn what_is_sent_is_the_canonical_text() {
        let recap = &trade_recap::TABLE;
        assert_eq!(sent(recap, "filled_amount", Cell::Fixed(-5, 2)).as_deref(), Some("-0.05"));
        assert_eq!(sent(recap, "trade_id", "T 'x'").as_deref(), Some("T 'x'"));
        assert_eq!(sent(recap, "wavg_price", Cell::Null), None);
        let moment = sent(&run_history::TABLE, "requested_at", Timestamp::from_micros(1));
        assert_eq!(moment.as_deref(), Some("1970-01-01T00:00:00.000001"));
        // An empty text is NULL, except in a key.
        assert_eq!(sent(&kickout::TABLE, "pool_name", ""), None);
        assert_eq!(sent(&loan_constraint_pool::TABLE, "constraint_name", "").as_deref(), Some(""));
    }

    #[test]
    fn a_text_that_has_no_room_is_refused_with_its_place() {
        let recap = &trade_recap::TABLE;
        assert!(sent(recap, "trade_id", "x".repeat(100)).is_some());
        // UTF-16 counts this one twice.
        let long = Cell::from("🏠".repeat(51));
        let fault = text(recap, column(recap, "trade_id"), &long).unwrap_err().to_string();
        assert!(
            fault.starts_with("pfill_trade_recap.trade_id has room for 100 characters"),
            "{fault}"
        );
        assert!(fault.ends_with("has 102"), "{fault}");
    }

    #[test]
    fn what_comes_back_has_the_type_and_scale_of_its_column() {
        let numeric =
            |value, scale| ColumnData::Numeric(Some(Numeric::new_with_scale(value, scale)));
        let back = |value| cell_of(CellType::Decimal(2), &value);
        assert_eq!(back(numeric(-5, 2)), Some(Cell::Decimal(Decimal::new(-5, 2))));
        assert_eq!(back(numeric(-50, 3)), None);
        assert_eq!(back(numeric(i128::MAX, 2)), None);
        assert_eq!(back(ColumnData::Numeric(None)), Some(Cell::Null));
        assert_eq!(back(ColumnData::I64(Some(1))), None);
        let day = Date::new(719_162);
        let back = |increments, scale| {
            let moment = DateTime2::new(day, Time::new(increments, scale));
            cell_of(CellType::Timestamp, &ColumnData::DateTime2(Some(moment)))
        };
        for (increments, scale) in [(10, 7), (1, 6)] {
            assert_eq!(back(increments, scale), Some(Cell::Timestamp(Timestamp::from_micros(1))));
        }
        assert_eq!(back(1, 3), Some(Cell::Timestamp(Timestamp::from_micros(1_000))));
        let date = cell_of(CellType::Day, &ColumnData::Date(Some(day)));
        assert_eq!(date, Some(Cell::Day("1970-01-01".parse().unwrap())));
    }
}
