//! Why a comparison says nothing. Such a comparison is an error, never a pass.

use serde::Serialize;

/// Why there is nothing to compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Incomparable {
    /// The run has no outputs.
    #[error("{run} is {status}: only a Complete run has outputs to compare")]
    NotComplete {
        /// The run.
        run: String,
        /// Its status.
        status: &'static str,
    },
    /// The sides have no table in common.
    #[error(
        "the sides have no table in common; a mapping can say which file or sheet is which table"
    )]
    NoTableInCommon,
    /// No common table has rows on both sides.
    #[error("no table in common has a row on both sides")]
    NoRows,
    /// A side does not have a column that rows pair by.
    #[error(
        "{table}: {side} has no column {column}, which rows pair by; rename one to it, or give another key in the mapping"
    )]
    KeyColumnMissing {
        /// The table.
        table: &'static str,
        /// `here` or `there`.
        side: &'static str,
        /// The column of the output table.
        column: &'static str,
    },
    /// A cell of a column that rows pair by does not have the type of the column.
    #[error(
        "{table}: row {row} {side} has {text:?} as {column}, which does not read; the mapping's formats or values can say how"
    )]
    KeyUnread {
        /// The table.
        table: &'static str,
        /// `here` or `there`.
        side: &'static str,
        /// The row, from 1.
        row: u32,
        /// The column of the output table.
        column: &'static str,
        /// The text of the cell.
        text: String,
    },
    /// Two rows of a side have the same key.
    #[error(
        "{table}: rows {first} and {second} {side} have the same key, {key}; give a key in the mapping that tells them apart"
    )]
    DuplicateKey {
        /// The table.
        table: &'static str,
        /// `here` or `there`.
        side: &'static str,
        /// The first row, from 1.
        first: u32,
        /// The second row, from 1.
        second: u32,
        /// The key as text.
        key: String,
    },
    /// No key of one side is a key of the other.
    #[error(
        "{table}: none of {here} rows here pairs with any of {there} rows there by {columns}; a row there has {sample}"
    )]
    KeysDoNotMeet {
        /// The table.
        table: &'static str,
        /// The number of rows here.
        here: u32,
        /// The number of rows there.
        there: u32,
        /// The columns that rows pair by.
        columns: String,
        /// A key of the other side, as text.
        sample: String,
    },
}
