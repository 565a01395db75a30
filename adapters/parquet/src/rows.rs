//! The values of a column as Parquet writes them.

use bytes::Bytes;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type,
};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;
use powerfill_events::values::Day;
use powerfill_tables::table::{Cell, CellType, Column};

use crate::schema::decimal_length;

/// Writes the cells of a column. A cell that does not have the column's type is NULL, which
/// `Column::admits` rules out.
pub(crate) fn write_column<'a>(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column,
    cells: impl Iterator<Item = &'a Cell>,
) -> Result<()> {
    match column.cell_type {
        CellType::Text | CellType::Json => write::<ByteArrayType>(writer, cells.map(text)),
        CellType::Int | CellType::Timestamp => write::<Int64Type>(writer, cells.map(int)),
        CellType::Day => write::<Int32Type>(writer, cells.map(day)),
        CellType::Decimal(_) => {
            let length = decimal_length(column);
            write::<FixedLenByteArrayType>(writer, cells.map(|cell| decimal(cell, length)))
        }
    }
}

/// Writes the same text in each of `rows` rows of a column without NULL.
pub(crate) fn write_constant(
    writer: &mut SerializedColumnWriter<'_>,
    text: &str,
    rows: usize,
) -> Result<()> {
    let values = vec![ByteArray::from(text.as_bytes().to_vec()); rows];
    writer.typed::<ByteArrayType>().write_batch(&values, None, None).map(|_| ())
}

/// Parquet has the values without the NULLs, and a level per row: 1 for a value, 0 for NULL.
fn write<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for value in cells {
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    writer.typed::<T>().write_batch(&values, Some(&levels), None).map(|_| ())
}

fn text(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => Some(text.as_bytes().to_vec().into()),
        Cell::Name(name) => Some(Bytes::from_static(name.as_bytes()).into()),
        _ => None,
    }
}

fn int(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(number) => Some(*number),
        Cell::Timestamp(moment) => Some(moment.micros()),
        _ => None,
    }
}

/// Days since 1970-01-01.
fn day(cell: &Cell) -> Option<i32> {
    match cell {
        Cell::Day(day) => Some(Day::EPOCH.days_until(*day)),
        _ => None,
    }
}

/// The units of the last decimal place, big-endian.
fn decimal(cell: &Cell, length: usize) -> Option<FixedLenByteArray> {
    let units = match cell {
        Cell::Fixed(units, _) => i128::from(*units),
        Cell::Decimal(number) => number.mantissa(),
        _ => return None,
    };
    let bytes = units.to_be_bytes();
    Some(bytes[bytes.len() - length..].to_vec().into())
}
