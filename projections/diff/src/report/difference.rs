//! Differences with their texts, for reports.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::{RowDifference, RowVerdict, TableComparison};
use crate::comparison::Comparison;

/// A difference with its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DifferenceRow<'a> {
    /// The table.
    #[serde(skip)]
    pub table: &'static str,
    /// The columns that rows pair by.
    #[serde(skip)]
    pub key_columns: Vec<&'static str>,
    /// The row's texts of those columns.
    pub key: Vec<String>,
    /// The verdict.
    pub verdict: RowVerdict,
    /// The cells that differ, or the decision of a row that is missing on a side.
    pub cells: Vec<DifferenceCell>,
    /// Its class; NULL if it is unclassified.
    pub class: Option<&'static str>,
    /// The note of its entry.
    pub note: &'a str,
    /// Whether it matches an entry without a class.
    pub pending: bool,
}

/// A cell on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DifferenceCell {
    /// The column.
    pub column: &'static str,
    /// The text here; NULL if the cell is NULL or the row is missing.
    pub here: Option<String>,
    /// The text there, likewise.
    pub there: Option<String>,
    /// Whether the column belongs to the decision.
    pub decision: bool,
}

/// Adds the texts to a difference.
pub fn difference_row<'a>(
    comparison: &'a Comparison,
    table: &TableComparison,
    difference: &RowDifference,
) -> DifferenceRow<'a> {
    let names = &comparison.names;
    let text = |grid: &crate::grid::Grid, row: Option<u32>, at: usize| {
        Some(grid.text(row?, at, names)).filter(|text| !text.is_empty())
    };
    let cells = table.report_columns(difference).map(|at| DifferenceCell {
        column: table.column(at),
        here: text(&table.here.grid, difference.here, at),
        there: text(&table.there.grid, difference.there, at),
        decision: table.is_decision(at),
    });
    let missing = matches!(difference.verdict, RowVerdict::OnlyHere | RowVerdict::OnlyThere);
    let entries = comparison.classifications.entries();
    let entry = difference.entry.and_then(|at| entries.get(at as usize));
    DifferenceRow {
        table: table.spec.name,
        key_columns: table.key.iter().map(|at| table.column(*at)).collect(),
        key: table.key_texts(difference, names),
        verdict: difference.verdict,
        // NULLs say nothing about a missing row.
        cells: cells.filter(|c| !missing || c.here.is_some() || c.there.is_some()).collect(),
        class: entry.and_then(|entry| entry.class).map(|class| class.name()),
        note: entry.map_or("", |entry| entry.note.as_str()),
        pending: entry.is_some_and(|entry| entry.class.is_none()),
    }
}

impl DifferenceRow<'_> {
    /// The loan of the row, if rows pair by loan.
    pub fn loan_id(&self) -> Option<&str> {
        let at = self.key_columns.iter().position(|column| *column == "loan_id")?;
        Some(self.key[at].as_str())
    }
}
