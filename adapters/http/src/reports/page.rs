//! The rows of a page, and its text.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_app::{AppError, rebuild};
use powerfill_ports::Store;
use powerfill_tables::csv::{write_file_header, write_file_rows, write_text};
use powerfill_tables::table::{Cell, CellType, RowBatch, TableSpec};

use super::question::{Question, SortKey};
use super::shelf::{Shelf, aside};
use crate::problem::Answer;

/// A page.
pub(crate) struct Page {
    pub(crate) rows: RowBatch,
    /// The number of its last row, where there is more.
    pub(crate) next: Option<u64>,
}

/// Rows as they come, until the page and one more are there.
struct Taken<'q> {
    question: &'q Question,
    page: Page,
    last: u64,
}

impl<'q> Taken<'q> {
    fn new(question: &'q Question) -> Self {
        let rows = RowBatch::new(question.report.table);
        Self { question, page: Page { rows, next: None }, last: 0 }
    }

    /// Takes a row that comes in the order of the page.
    fn take(&mut self, number: u64, row: &[Cell]) -> ControlFlow<()> {
        if !self.question.admits(row) {
            return ControlFlow::Continue(());
        }
        if self.page.rows.len() == self.question.limit {
            self.page.next = Some(self.last);
            return ControlFlow::Break(());
        }
        self.page.rows.cells.extend_from_slice(row);
        self.last = number;
        ControlFlow::Continue(())
    }
}

/// The page of a table in memory.
pub(crate) fn of_shelf(question: &Question, shelf: &Shelf) -> Page {
    let mut taken = Taken::new(question);
    let count = shelf.rows.len();
    let after = question.after.and_then(|row| usize::try_from(row).ok());
    match question.order {
        None => {
            let begin = after.map_or(0, |row| row.saturating_add(1)).min(count);
            let _ = (begin..count).try_for_each(|row| taken.take(row as u64, shelf.row(row)));
        }
        Some((column, down)) => {
            let order = shelf.order(column);
            let at = |place: usize| order[if down { count - 1 - place } else { place }] as usize;
            let begin = after.map_or(0, |row| {
                (0..count).find(|place| at(*place) == row).map_or(count, |place| place + 1)
            });
            let _ =
                (begin..count).map(at).try_for_each(|row| taken.take(row as u64, shelf.row(row)));
        }
    }
    taken.page
}

/// The page of a table that is too large to be kept: it is read through, and as much as a page is
/// held.
pub(crate) async fn of_stream(question: &Question, store: &Arc<dyn Store>) -> Answer<Page> {
    let mut sieve = Sieve::new(question);
    // Where the row of the cursor stands in the order is known only when it was seen.
    if question.order.is_some() && question.after.is_some() {
        let mut mark = None;
        through(question, store, |number, row| {
            if Some(number) == question.after {
                mark = Some(sieve.key(number, row));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .await?;
        sieve.mark = mark;
    }
    through(question, store, |number, row| sieve.take(number, row)).await?;
    Ok(sieve.page())
}

/// Hands over every row with its number: from the shown table where the run is the shown one, else
/// from its events.
async fn through(
    question: &Question,
    store: &Arc<dyn Store>,
    mut each: impl FnMut(u64, &[Cell]) -> ControlFlow<()> + Send,
) -> Answer<()> {
    let (run, table) = (question.run, question.report.table);
    let mut number = 0;
    let mut hand_over = |rows: &RowBatch| {
        rows.rows().try_for_each(|row| {
            number += 1;
            each(number - 1, row)
        })
    };
    if store.published().await?.is_some_and(|(published, _)| published == run) {
        let mut batches = store.rows(table);
        let mut first = true;
        while let Some(batch) = batches.try_next().await? {
            if first && batch.run_id != run {
                break;
            }
            first = false;
            if hand_over(&batch.rows).is_break() {
                return Ok(());
            }
        }
        if !first {
            return Ok(());
        }
    }
    from_events(store, run, table, hand_over).await
}

async fn from_events(
    store: &Arc<dyn Store>,
    run: powerfill_events::run::RunId,
    table: &'static TableSpec,
    mut hand_over: impl FnMut(&RowBatch) -> ControlFlow<()> + Send,
) -> Answer<()> {
    let (rows, mut coming) = tokio::sync::mpsc::channel(4);
    let store = Arc::clone(store);
    let folding = tokio::spawn(aside(async move || {
        let folded = rebuild::fold(store.as_ref(), run, async |batches, _| {
            for batch in batches.into_iter().filter(|batch| std::ptr::eq(batch.table, table)) {
                // Whoever asked has enough.
                let gone = |_| AppError::Panicked(String::new());
                rows.send(batch).await.map_err(gone)?;
            }
            Ok(())
        });
        folded.await?;
        Ok(())
    }));
    while let Some(batch) = coming.recv().await {
        if hand_over(&batch).is_break() {
            return Ok(());
        }
    }
    folding.await.map_err(|panic| crate::problem::internal(&panic))?
}

/// Where a row stands on the way through the report.
type Place = (Option<SortKey>, u64);

/// Holds the rows of the page while all rows pass.
struct Sieve<'q> {
    question: &'q Question,
    mark: Option<Place>,
    taken: Taken<'q>,
    held: BTreeMap<Place, Vec<Cell>>,
}

impl<'q> Sieve<'q> {
    fn new(question: &'q Question) -> Self {
        Self { question, mark: None, taken: Taken::new(question), held: BTreeMap::new() }
    }

    fn key(&self, number: u64, row: &[Cell]) -> Place {
        (self.question.order.map(|(column, _)| SortKey::of(&row[column])), number)
    }

    fn take(&mut self, number: u64, row: &[Cell]) -> ControlFlow<()> {
        let Some((_, down)) = self.question.order else {
            if self.question.after.is_some_and(|after| number <= after) {
                return ControlFlow::Continue(());
            }
            return self.taken.take(number, row);
        };
        let key = self.key(number, row);
        let is_after = |mark: &Place| if down { key < *mark } else { key > *mark };
        if self.question.admits(row) && self.mark.as_ref().is_none_or(is_after) {
            self.held.insert(key, row.to_vec());
            if self.held.len() > self.question.limit + 1 {
                let _ = if down { self.held.pop_first() } else { self.held.pop_last() };
            }
        }
        ControlFlow::Continue(())
    }

    fn page(mut self) -> Page {
        if let Some((_, down)) = self.question.order {
            let mut held: Vec<_> = self.held.into_iter().collect();
            if down {
                held.reverse();
            }
            let rows = held.iter().map(|((_, number), row)| (*number, row));
            let _ = rows.into_iter().try_for_each(|(number, row)| self.taken.take(number, row));
        }
        self.taken.page
    }
}

/// The page as JSON: decimals, dates and moments are strings.
pub(crate) fn json(question: &Question, rows: &RowBatch, next: Option<&str>) -> Vec<u8> {
    let table = rows.table;
    let names: Vec<String> =
        table.columns.iter().map(|column| format!("\"{}\":", column.name)).collect();
    let mut out = Vec::with_capacity(64 + rows.cells.len() * 24);
    let (run, report) = (question.run, question.report.name);
    let head = format!(
        "{{\"run_id\":\"{run}\",\"report\":\"{report}\",\"table\":\"{}\",\"rows\":[",
        table.name
    );
    out.extend_from_slice(head.as_bytes());
    for (at, row) in rows.rows().enumerate() {
        out.extend_from_slice(if at == 0 { b"{" } else { b",{" });
        for (at, (cell, column)) in row.iter().zip(table.columns).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(names[at].as_bytes());
            value(cell, column.cell_type, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"next\":");
    match next {
        // A cursor has digits, letters and a dot.
        Some(next) => out.extend_from_slice(format!("\"{next}\"}}").as_bytes()),
        None => out.extend_from_slice(b"null}"),
    }
    out
}

fn value(cell: &Cell, cell_type: CellType, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Int(_) => write_text(cell, out),
        Cell::Text(text) if cell_type == CellType::Json => out.extend_from_slice(text.as_bytes()),
        Cell::Text(text) => quoted(text, out),
        Cell::Name(name) => quoted(name, out),
        Cell::Fixed(..) | Cell::Decimal(_) | Cell::Day(_) | Cell::Timestamp(_) => {
            out.push(b'"');
            write_text(cell, out);
            out.push(b'"');
        }
    }
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    // Memory takes every write.
    let _ = serde_json::to_writer(out, text);
}

/// The page as CSV, `run_id` first.
pub(crate) fn csv(question: &Question, rows: &RowBatch) -> Vec<u8> {
    let mut out = Vec::new();
    write_file_header(rows.table, &mut out);
    write_file_rows(question.run, rows, &mut out);
    out
}
