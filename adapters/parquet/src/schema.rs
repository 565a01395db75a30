//! The Parquet types of columns.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};
use powerfill_tables::table::{CellType, Column, TableSpec};

/// The first column of every table.
pub(crate) const RUN_ID: &str = "run_id";

/// The schema of a table: `run_id`, then its columns, each of which may be NULL.
pub(crate) fn schema(table: &TableSpec) -> Result<TypePtr> {
    let run_id = Type::primitive_type_builder(RUN_ID, Physical::BYTE_ARRAY)
        .with_logical_type(Some(LogicalType::String))
        .with_repetition(Repetition::REQUIRED)
        .build()?;
    let mut fields = vec![Arc::new(run_id)];
    for column in table.columns {
        fields.push(Arc::new(column_type(column)?));
    }
    Ok(Arc::new(Type::group_type_builder(table.name).with_fields(fields).build()?))
}

fn column_type(column: &Column) -> Result<Type> {
    let of = |physical, logical| {
        Type::primitive_type_builder(column.name, physical)
            .with_logical_type(logical)
            .with_repetition(Repetition::OPTIONAL)
    };
    match column.cell_type {
        CellType::Text | CellType::Json => of(Physical::BYTE_ARRAY, Some(LogicalType::String)),
        CellType::Int => of(Physical::INT64, None),
        CellType::Day => of(Physical::INT32, Some(LogicalType::Date)),
        CellType::Timestamp => {
            of(Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
        }
        CellType::Decimal(scale) => {
            let (precision, scale) = (i32::from(column.precision()), i32::from(scale));
            of(Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(scale, precision)))
                .with_length(decimal_length(column) as i32)
                .with_precision(precision)
                .with_scale(scale)
        }
    }
    .build()
}

/// The bytes of a decimal of the column: enough for its precision and a sign.
pub(crate) fn decimal_length(column: &Column) -> usize {
    match column.precision() {
        0..=18 => 8,
        19..=21 => 9,
        _ => 16,
    }
}
