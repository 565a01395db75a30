//! A difference with its texts.

use serde::Serialize;

use crate::Comparison;
use crate::compare::{RowDifference, RowVerdict, TableComparison};

/// A difference as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceRow<'a> {
    /// Of this table.
    #[serde(skip)]
    pub table: &'static str,
    /// The columns that rows pair by.
    #[serde(skip)]
    pub key_columns: Vec<&'static str>,
    /// What the row has there.
    pub key: Vec<String>,
    /// What it comes to.
    pub verdict: RowVerdict,
    /// The columns that differ; of a row that is missing on a side, what it decides.
    pub cells: Vec<DifferenceCell>,
    /// What has been said about it; NULL where nothing has.
    pub class: Option<&'static str>,
    /// Why.
    pub note: &'a str,
    /// Whether an entry waits for its class.
    pub pending: bool,
}

/// A cell of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceCell {
    /// Its column.
    pub column: &'static str,
    /// Here; NULL where it is NULL, or the row missing.
    pub here: Option<String>,
    /// There, likewise.
    pub there: Option<String>,
    /// Whether the column says what was decided.
    pub decision: bool,
}

/// A difference with its texts.
pub fn shown<'a>(
    comparison: &'a Comparison,
    table: &TableComparison,
    difference: &RowDifference,
) -> DifferenceRow<'a> {
    let names = &comparison.names;
    let text = |grid: &crate::grid::Grid, row: Option<u32>, at: usize| {
        Some(grid.written(row?, at, names)).filter(|text| !text.is_empty())
    };
    let cells = table.shown(difference).map(|at| DifferenceCell {
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
        // NULLs say nothing about a row that is missing.
        cells: cells.filter(|c| !missing || c.here.is_some() || c.there.is_some()).collect(),
        class: entry.and_then(|entry| entry.class).map(|class| class.name()),
        note: entry.map_or("", |entry| entry.note.as_str()),
        pending: entry.is_some_and(|entry| entry.class.is_none()),
    }
}

impl DifferenceRow<'_> {
    /// The loan that it is about.
    pub fn loan_id(&self) -> Option<&str> {
        let at = self.key_columns.iter().position(|column| *column == "loan_id")?;
        Some(self.key[at].as_str())
    }
}
