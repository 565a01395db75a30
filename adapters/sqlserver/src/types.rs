//! The types of the output tables in SQL Server (specification 1.5), from which `sql/sqlserver/outputs.sql` is made and
//! by which tables that are there are known.

use std::fmt;

use powerfill_tables::table::{CellType, Column, TableSpec};

/// Names: loans, trades, pools, instruments; also what is one of a few words.
const NAME: u16 = 100;

/// A type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    /// NVARCHAR of so many UTF-16 units; `None` for MAX.
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

/// The type of a column of an output table. Units of 64 bits have at most 19 digits; averages have no bound of their own.
pub fn sql_type(column: &Column) -> SqlType {
    match column.cell_type {
        CellType::Text => SqlType::Text(length(column.name)),
        CellType::Int => SqlType::Int,
        CellType::Decimal(scale) if column.name.starts_with("wavg_") => SqlType::Decimal(38, scale),
        CellType::Decimal(scale) => SqlType::Decimal(19, scale),
        CellType::Day => SqlType::Day,
        CellType::Timestamp => SqlType::Moment,
        CellType::Json => SqlType::Text(None),
    }
}

const fn length(column: &str) -> Option<u16> {
    match column.as_bytes() {
        b"message" | b"failure_message" | b"requested_by" => None,
        b"subject" => Some(400),
        b"syn_trade_id" => Some(200),
        _ => Some(NAME),
    }
}

/// Columns of keys that may be NULL: a finding without a subject, a posting to no trade.
const NULL_IN_KEY: [(&str, &str); 3] = [
    ("pfill_preflight_findings", "subject"),
    ("pfill_pool_guide", "trade_id"),
    ("pfill_pool_guide", "settlement_date"),
];

/// The columns of a table's key behind `run_id`, and whether none of them may be NULL.
pub fn key(table: &TableSpec) -> (Vec<&'static str>, bool) {
    let is_primary = !table.key.iter().any(|column| NULL_IN_KEY.contains(&(table.name, *column)));
    (table.key.to_vec(), is_primary)
}

/// Whether a column may be NULL.
pub fn is_nullable(table: &TableSpec, column: &Column) -> bool {
    let (key, _) = key(table);
    !key.contains(&column.name) || NULL_IN_KEY.contains(&(table.name, column.name))
}

/// Where the rows of a table arrive before they are shown.
pub fn staging(table: &TableSpec) -> String {
    format!("{}__staging", table.name)
}

/// The table that says which run is shown.
pub const PUBLICATION: &str = "pfill_publication";
