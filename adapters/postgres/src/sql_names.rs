//! Names of tables and columns in SQL.

use powerfill_tables::table::TableSpec;

/// A quoted name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table that holds the staged rows of an output table.
pub(crate) fn staged_name(table: &str) -> String {
    format!("next_{table}")
}

/// The columns of a table, each after a comma.
pub(crate) fn column_list(table: &TableSpec) -> String {
    table.columns.iter().map(|column| format!(", {}", quoted(column.name))).collect()
}
