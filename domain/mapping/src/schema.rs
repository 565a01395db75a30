//! What a mapping maps to: input tables, or the output tables of a comparison.

use powerfill_events::input::{InputColumn, InputType, Presence};
use powerfill_snapshot::TABLES;

/// What the mapping of a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingUse {
    /// The input of a run (4.1): what cannot be read is a fault.
    Source,
    /// An export to compare with (3.4): what cannot be read differs.
    Comparison,
}

/// The tables that a mapping can name.
#[derive(Debug, Clone)]
pub struct TargetSchema {
    /// What the mapping is for.
    pub mapping_use: MappingUse,
    /// The tables, in the order of the specification.
    pub tables: Vec<TargetTable>,
}

/// A table that a mapping can name.
#[derive(Debug, Clone)]
pub struct TargetTable {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: Vec<TargetColumn>,
    /// Whether it takes columns that are not listed, as `loan` does.
    pub takes_more_columns: bool,
}

/// A column of such a table.
#[derive(Debug, Clone, Copy)]
pub struct TargetColumn {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ValueKind,
    /// Whether a source must have it.
    pub is_required: bool,
}

/// What a column holds, as far as reading its cells goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A text, a word, or a rule.
    Text,
    /// A number.
    Number,
    /// A share of 1, so that `12.5%` is 0.125. Rates are per cent already.
    Share,
    /// A calendar date.
    Day,
}

impl TargetSchema {
    /// The input tables (1.2).
    pub fn of_inputs() -> Self {
        let tables = TABLES.iter().map(|table| TargetTable {
            name: table.name,
            columns: table.columns.iter().map(TargetColumn::from).collect(),
            takes_more_columns: table.name == LOAN,
        });
        Self { mapping_use: MappingUse::Source, tables: tables.collect() }
    }

    /// The table of this name, which compares as text, and its position.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name.eq_ignore_ascii_case(name.trim()))
    }

    /// The names of all tables.
    pub fn table_names(&self) -> Vec<&'static str> {
        self.tables.iter().map(|table| table.name).collect()
    }
}

/// The table of loans, which takes columns that are not listed.
pub(crate) const LOAN: &str = "loan";

impl TargetTable {
    /// The position of the column of this name, which compares as text.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name.trim()))
    }

    /// The names of all columns.
    pub fn column_names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.name).collect()
    }
}

impl From<&InputColumn> for TargetColumn {
    fn from(column: &InputColumn) -> Self {
        let kind = match column.input_type {
            InputType::Text | InputType::OneOf(_) | InputType::Rule => ValueKind::Text,
            InputType::Decimal { .. } | InputType::Whole | InputType::Number => ValueKind::Number,
            InputType::Day => ValueKind::Day,
        };
        let is_required = matches!(column.presence, Presence::Required);
        Self { name: column.name, kind, is_required }
    }
}
