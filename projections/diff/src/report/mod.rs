//! Reports of a comparison: for programs ([`json`]), for spreadsheets ([`csv`]), and as one page to
//! mail ([`html`]).

mod difference;
mod json;
mod page;

pub use difference::{DifferenceCell, DifferenceRow, difference_row};
pub use json::{ComparisonDocument, json};
pub use page::{PAGE_ROWS, escaped_json, html, old_or_new, page_head, value_words};

use std::io::{self, Write};

use powerfill_tables::csv::{harmless, write_field};
use powerfill_tables::table::Cell;

use crate::comparison::Comparison;
use crate::loan_path::LoanPath;

/// The columns of [`csv`].
const CSV_COLUMNS: &str = "table,key,verdict,column,here,there,decision,class,note,parted,because";

/// Writes a line per differing cell, and at least one per differing row.
///
/// # Errors
/// Those of `out`.
pub fn csv(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{CSV_COLUMNS}")?;
    let paths = LoanPaths::new(comparison);
    for row in difference_rows(comparison) {
        let path = row.loan_id().and_then(|loan| paths.find(loan));
        let (parted, because) = match path {
            Some(path) => (path.parted.as_ref().map(ToString::to_string), path.because.as_str()),
            None => (None, ""),
        };
        let key = row.key.join(" | ");
        let fields = |cell: Option<&DifferenceCell>, column: &str| {
            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
            [
                row.table.to_owned(),
                key.clone(),
                row.verdict.name().to_owned(),
                column.to_owned(),
                text(cell.and_then(|cell| cell.here.as_ref())),
                text(cell.and_then(|cell| cell.there.as_ref())),
                cell.map_or("", |cell| if cell.decision { "Y" } else { "N" }).to_owned(),
                row.class.unwrap_or_default().to_owned(),
                row.note.to_owned(),
                parted.clone().unwrap_or_default(),
                because.to_owned(),
            ]
        };
        if row.cells.is_empty() {
            write_record(&fields(None, ""), out)?;
        }
        for cell in &row.cells {
            write_record(&fields(Some(cell), cell.column), out)?;
        }
    }
    Ok(())
}

fn write_record(fields: &[String], out: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        write_field(&Cell::from(&*harmless(field)), &mut line);
    }
    line.push(b'\n');
    out.write_all(&line)
}

/// All differences, table by table.
fn difference_rows(comparison: &Comparison) -> impl Iterator<Item = DifferenceRow<'_>> {
    comparison.tables.iter().flat_map(move |table| {
        table
            .differences
            .iter()
            .map(move |difference| difference_row(comparison, table, difference))
    })
}

/// The paths of loans, with their positions in the comparison, by id.
struct LoanPaths<'a>(std::collections::HashMap<&'a str, (usize, &'a LoanPath)>);

impl<'a> LoanPaths<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let loans = comparison.loans.iter().enumerate();
        Self(loans.map(|(at, path)| (path.loan_id.as_str(), (at, path))).collect())
    }

    fn find(&self, loan_id: &str) -> Option<&'a LoanPath> {
        self.0.get(loan_id).map(|(_, path)| *path)
    }

    fn position(&self, loan_id: &str) -> Option<usize> {
        self.0.get(loan_id).map(|(at, _)| *at)
    }
}
