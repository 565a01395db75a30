//! The types of the output tables in SQL Server (specification 1.5). `sql/sqlserver/outputs.sql` is
//! generated from them, and existing tables are checked against them.

use std::fmt;

use powerfill_tables::table::{CellType, Column, TableSpec};

/// The length of names of loans, trades, pools, and instruments, and of columns with a few fixed
/// words.
const NAME_LENGTH: u16 = 100;

/// The declared type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    /// NVARCHAR with this length in UTF-16 units; `None` for MAX.
    Text(Option<u16>),
    /// BIGINT.
    Int,
    /// DECIMAL with this precision and scale.
    Decimal(u8, u8),
    /// DATE.
    Day,
    /// DATETIME2 with microseconds, UTC.
    Moment,
    /// UNIQUEIDENTIFIER.
    Uuid,
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(Some(length)) => write!(f, "NVARCHAR({length})"),
            Self::Text(None) => f.write_str("NVARCHAR(MAX)"),
            Self::Int => f.write_str("BIGINT"),
            Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Day => f.write_str("DATE"),
            Self::Moment => f.write_str("DATETIME2(6)"),
            Self::Uuid => f.write_str("UNIQUEIDENTIFIER"),
        }
    }
}

/// The type of a column of an output table.
pub fn sql_type(column: &Column) -> SqlType {
    match column.cell_type {
        CellType::Text => SqlType::Text(text_length(column.name)),
        CellType::Int => SqlType::Int,
        CellType::Decimal(scale) => SqlType::Decimal(column.precision(), scale),
        CellType::Day => SqlType::Day,
        CellType::Timestamp => SqlType::Moment,
        CellType::Json => SqlType::Text(None),
    }
}

const fn text_length(column: &str) -> Option<u16> {
    match column.as_bytes() {
        b"message" | b"failure_message" | b"requested_by" => None,
        b"subject" => Some(400),
        b"syn_trade_id" => Some(200),
        _ => Some(NAME_LENGTH),
    }
}

/// Key columns that may be NULL: a finding without a subject, a posting to no trade.
const NULLABLE_KEY_COLUMNS: [(&str, &str); 3] = [
    ("pfill_preflight_findings", "subject"),
    ("pfill_pool_guide", "trade_id"),
    ("pfill_pool_guide", "settlement_date"),
];

/// The key columns of a table after `run_id`, and whether they can be a primary key, that is, none
/// of them may be NULL.
pub fn key(table: &TableSpec) -> (Vec<&'static str>, bool) {
    let is_nullable = |column: &&str| NULLABLE_KEY_COLUMNS.contains(&(table.name, *column));
    let is_primary = !table.key.iter().any(is_nullable);
    (table.key.to_vec(), is_primary)
}

/// Whether a column may be NULL.
pub fn is_nullable(table: &TableSpec, column: &Column) -> bool {
    let (key, _) = key(table);
    !key.contains(&column.name) || NULLABLE_KEY_COLUMNS.contains(&(table.name, column.name))
}

/// The table that receives the rows of an output table before they are published.
pub fn staging(table: &TableSpec) -> String {
    format!("{}__staging", table.name)
}

/// The table that names the published run.
pub const PUBLICATION: &str = "pfill_publication";
