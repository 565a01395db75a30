//! A comparison for programs ([`json`]), for spreadsheets ([`csv`]), and as one page to be mailed
//! ([`html`]).

mod difference;
mod json;
mod page;

pub use difference::{DifferenceCell, DifferenceRow, shown};
pub use json::json;
pub use page::{PAGE_ROWS, html, value_words};

use std::io::{self, Write};

use powerfill_tables::csv::write_field;
use powerfill_tables::table::Cell;

use crate::Comparison;
use crate::loans::LoanPath;

/// The columns of [`csv`].
const CSV_COLUMNS: &str = "table,key,verdict,column,here,there,decision,class,note,parted,because";

/// Writes a line for each differing cell, or for a row that is missing on a side.
///
/// # Errors
/// Those of `out`.
pub fn csv(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{CSV_COLUMNS}")?;
    let paths = Paths::of(comparison);
    for shown in all(comparison) {
        let path = shown.loan_id().and_then(|loan| paths.find(loan));
        let (parted, because) = match path {
            Some(path) => (path.parted.as_ref().map(ToString::to_string), path.because.as_str()),
            None => (None, ""),
        };
        let key = shown.key.join(" | ");
        let said = |cell: Option<&DifferenceCell>, column: &str| {
            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
            [
                shown.table.to_owned(),
                key.clone(),
                shown.verdict.name().to_owned(),
                column.to_owned(),
                text(cell.and_then(|cell| cell.here.as_ref())),
                text(cell.and_then(|cell| cell.there.as_ref())),
                cell.map_or("", |cell| if cell.decision { "Y" } else { "N" }).to_owned(),
                shown.class.unwrap_or_default().to_owned(),
                shown.note.to_owned(),
                parted.clone().unwrap_or_default(),
                because.to_owned(),
            ]
        };
        if shown.cells.is_empty() {
            record(&said(None, ""), out)?;
        }
        for cell in &shown.cells {
            record(&said(Some(cell), cell.column), out)?;
        }
    }
    Ok(())
}

fn record(fields: &[String], out: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        write_field(&Cell::from(field.as_str()), &mut line);
    }
    line.push(b'\n');
    out.write_all(&line)
}

/// Every difference, table by table.
pub(crate) fn all(comparison: &Comparison) -> impl Iterator<Item = DifferenceRow<'_>> {
    comparison.tables.iter().flat_map(move |table| {
        table.differences.iter().map(move |difference| shown(comparison, table, difference))
    })
}

/// The loans that were told of, by id.
pub(crate) struct Paths<'a>(std::collections::HashMap<&'a str, (usize, &'a LoanPath)>);

impl<'a> Paths<'a> {
    pub(crate) fn of(comparison: &'a Comparison) -> Self {
        let loans = comparison.loans.iter().enumerate();
        Self(loans.map(|(at, path)| (path.loan_id.as_str(), (at, path))).collect())
    }

    pub(crate) fn find(&self, loan_id: &str) -> Option<&'a LoanPath> {
        self.0.get(loan_id).map(|(_, path)| *path)
    }

    pub(crate) fn position(&self, loan_id: &str) -> Option<usize> {
        self.0.get(loan_id).map(|(at, _)| *at)
    }
}
