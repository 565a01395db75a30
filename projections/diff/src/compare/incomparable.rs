//! Where there is nothing to compare: never a pass.

use serde::Serialize;

/// Why there is nothing to compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Incomparable {
    /// The run has no outputs.
    #[error("{run} is {status}: only a Complete run has outputs to compare")]
    NotComplete {
        /// Which.
        run: String,
        /// Where it stands.
        status: &'static str,
    },
    /// The other side has none of the tables.
    #[error(
        "the sides have no table in common; a mapping can say which file or sheet is which table"
    )]
    NoTableInCommon,
    /// The tables in common are empty.
    #[error("no table in common has a row on both sides")]
    NoRows,
    /// A column that rows pair by is not there.
    #[error(
        "{table}: {side} has no column {column}, which rows pair by; rename one to it, or give another key in the mapping"
    )]
    KeyColumnMissing {
        /// Of this table.
        table: &'static str,
        /// `here` or `there`.
        side: &'static str,
        /// Ours.
        column: &'static str,
    },
    /// A cell of a column that rows pair by is not what the column holds.
    #[error(
        "{table}: row {row} {side} has {text:?} as {column}, which does not read; the mapping's formats or values can say how"
    )]
    KeyUnread {
        /// Of this table.
        table: &'static str,
        /// `here` or `there`.
        side: &'static str,
        /// From 1.
        row: u32,
        /// Ours.
        column: &'static str,
        /// What stands there.
        text: String,
    },
    /// Two rows of a side have the same key.
    #[error(
        "{table}: rows {first} and {second} {side} have the same key, {key}; give a key in the mapping that tells them apart"
    )]
    DuplicateKey {
        /// Of this table.
        table: &'static str,
        /// `here` or `there`.
        side: &'static str,
        /// From 1.
        first: u32,
        /// From 1.
        second: u32,
        /// As text.
        key: String,
    },
    /// No key of one side is one of the other.
    #[error(
        "{table}: none of {here} rows here pairs with any of {there} rows there by {columns}; a row there has {sample}"
    )]
    KeysDoNotMeet {
        /// Of this table.
        table: &'static str,
        /// How many.
        here: u32,
        /// How many.
        there: u32,
        /// What rows pair by.
        columns: String,
        /// A key that is there, as text.
        sample: String,
    },
}
