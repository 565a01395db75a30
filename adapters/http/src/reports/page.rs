//! The rows of a page, and its text.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_app::{AppError, rebuild};
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::csv::{write_file_header, write_file_rows, write_text};
use powerfill_tables::table::{Cell, CellType, RowBatch, TableRef};

use super::query::ReportQuery;
use crate::blocking::spawn_blocking;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::report_cache::CachedTable;
use crate::row_starts::{RowStart, RowStarts};
use powerfill_tables::sorting::SortKey;

pub(crate) struct Page {
    pub(crate) rows: RowBatch,
    /// The number of its last row, if more rows follow.
    pub(crate) next: Option<u64>,
    /// The number of rows of all pages, if it is known without reading them.
    pub(crate) total: Option<u64>,
}

/// Collects rows in the order of the page, until it has one more than the page.
struct PageBuilder<'q> {
    query: &'q ReportQuery,
    page: Page,
    last: u64,
    to_skip: usize,
}

impl<'q> PageBuilder<'q> {
    fn new(query: &'q ReportQuery) -> Self {
        let rows = RowBatch::new(query.report.table);
        let page = Page { rows, next: None, total: None };
        Self { query, page, last: 0, to_skip: query.skipped }
    }

    fn add(&mut self, number: u64, row: &[Cell]) -> ControlFlow<()> {
        if !self.query.admits(row) {
            return ControlFlow::Continue(());
        }
        if self.to_skip > 0 {
            self.to_skip -= 1;
            return ControlFlow::Continue(());
        }
        if self.page.rows.len() == self.query.limit {
            self.page.next = Some(self.last);
            return ControlFlow::Break(());
        }
        self.page.rows.cells.extend_from_slice(row);
        self.last = number;
        ControlFlow::Continue(())
    }
}

/// The page of a table in memory.
pub(crate) fn of_table(query: &ReportQuery, table: &CachedTable) -> Page {
    let mut builder = PageBuilder::new(query);
    let count = table.rows.len();
    let order = query.order.map(|(column, descending)| (table.order(column), descending));
    let row_at = |position: usize| match &order {
        None => position,
        Some((order, false)) => order[position] as usize,
        Some((order, true)) => order[count - 1 - position] as usize,
    };
    let after = query.after.and_then(|row| usize::try_from(row).ok());
    let begin = match (after, &order) {
        (None, _) => 0,
        (Some(row), None) => row.saturating_add(1).min(count),
        (Some(row), Some(_)) => {
            (0..count).find(|position| row_at(*position) == row).map_or(count, |found| found + 1)
        }
    };
    // The builder breaks when the page is full.
    let _ = (begin..count).map(row_at).try_for_each(|row| builder.add(row as u64, table.row(row)));
    let mut page = builder.page;
    page.total = match query.is_filtered() {
        // A download has no header for it.
        true if query.is_whole => None,
        true => Some(table.total(query.fingerprint(), |row| query.admits(row))),
        false => Some(count as u64),
    };
    page
}

/// The page of a table that is too large to be kept. All rows are read, and the rows of one page
/// are in memory. `count` is the number of rows of the table, if it is known.
pub(crate) async fn of_stream(
    query: &ReportQuery,
    store: &Arc<dyn Store>,
    starts: &RowStarts,
    count: Option<u64>,
) -> ApiResult<Page> {
    if query.skipped > 0 {
        return Err(Problem::new(
            ProblemKind::Refused,
            format!(
                "{} has too many rows to begin at an offset with a filter or a sort: read page by \
                 page, each from the cursor of the one before it.",
                query.report.spec.name
            ),
        ));
    }
    let mut selection = PageSelection::new(query);
    // The position of the cursor's row in the order is unknown until the row is read.
    if let (Some(_), Some(cursor)) = (query.order, query.after) {
        let mut start = None;
        read_rows(query, store, (cursor, starts), |number, row| {
            if number == cursor {
                start = Some(selection.key(number, row));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .await?;
        selection.start = start;
    }
    // In another order, the page can have any row.
    let first = match (query.order, query.after) {
        (None, Some(after)) => after.saturating_add(1),
        _ => 0,
    };
    read_rows(query, store, (first, starts), |number, row| selection.add(number, row)).await?;
    let mut page = selection.page();
    page.total = count.filter(|_| !query.scans_table());
    Ok(page)
}

/// Visits rows with their numbers, from the row `first` or one before it on: from the shown table
/// if the store has its rows, or else from the events of the run.
async fn read_rows(
    query: &ReportQuery,
    store: &Arc<dyn Store>,
    (first, starts): (u64, &RowStarts),
    mut visit: impl FnMut(u64, &[Cell]) -> ControlFlow<()> + Send,
) -> ApiResult<()> {
    let (run, table) = (query.run, query.report.table);
    let mut number = 0;
    let mut visit_all = |number: &mut u64, rows: &RowBatch| {
        rows.rows().try_for_each(|row| {
            *number += 1;
            visit(*number - 1, row)
        })
    };
    if store.published().await?.is_some_and(|(published, _)| published == run)
        && !rebuild::is_built(store.as_ref(), table).await?
    {
        let mut batches = store.rows(table);
        let mut is_first = true;
        while let Some(batch) = batches.try_next().await? {
            if is_first && batch.run_id != run {
                break;
            }
            is_first = false;
            if visit_all(&mut number, &batch.rows).is_break() {
                return Ok(());
            }
        }
        if !is_first {
            return Ok(());
        }
    }
    let start = starts.before(first);
    number = start.row;
    read_rows_from_events(store, run, table, start.version, |rows, version| {
        visit_all(&mut number, rows)?;
        if table.built_from.is_some() {
            starts.add(RowStart { row: number, version });
        }
        ControlFlow::Continue(())
    })
    .await
}

/// Visits batches of rows that are made from the events of a run, each with the version of the
/// event after it. A large table begins at the version `from`.
async fn read_rows_from_events(
    store: &Arc<dyn Store>,
    run: RunId,
    table: TableRef,
    from: u64,
    mut visit: impl FnMut(&RowBatch, u64) -> ControlFlow<()> + Send,
) -> ApiResult<()> {
    let (sender, mut batches) = tokio::sync::mpsc::channel(4);
    let store = Arc::clone(store);
    let folding = tokio::spawn(spawn_blocking(async move || {
        // The receiver is gone when the page is full.
        if table.built_from.is_some() {
            let built =
                rebuild::build_table(store.as_ref(), run, table, from, async |rows, next| {
                    match sender.send((rows, next)).await {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                });
            return Ok(built.await?);
        }
        let folded = rebuild::fold(store.as_ref(), run, async |batches, version| {
            for batch in batches.into_iter().filter(|batch| std::ptr::eq(batch.table, table)) {
                let full = |_| AppError::Panicked(String::new());
                sender.send((batch, version + 1)).await.map_err(full)?;
            }
            Ok(())
        });
        folded.await?;
        Ok(())
    }));
    while let Some((batch, next)) = batches.recv().await {
        if visit(&batch, next).is_break() {
            return Ok(());
        }
    }
    folding.await.map_err(|panic| internal(&panic))?
}

/// The position of a row in the order of the page.
type RowPosition = (Option<SortKey>, u64);

/// Selects the rows of the page while all rows pass.
struct PageSelection<'q> {
    query: &'q ReportQuery,
    /// The rows of the page come after this one.
    start: Option<RowPosition>,
    builder: PageBuilder<'q>,
    selected: BTreeMap<RowPosition, Vec<Cell>>,
}

impl<'q> PageSelection<'q> {
    fn new(query: &'q ReportQuery) -> Self {
        let builder = PageBuilder::new(query);
        Self { query, start: None, builder, selected: BTreeMap::new() }
    }

    fn key(&self, number: u64, row: &[Cell]) -> RowPosition {
        (self.query.order.map(|(column, _)| SortKey::of(&row[column])), number)
    }

    fn add(&mut self, number: u64, row: &[Cell]) -> ControlFlow<()> {
        let Some((_, descending)) = self.query.order else {
            if self.query.after.is_some_and(|after| number <= after) {
                return ControlFlow::Continue(());
            }
            return self.builder.add(number, row);
        };
        let key = self.key(number, row);
        let is_after = |start: &RowPosition| if descending { key < *start } else { key > *start };
        if self.query.admits(row) && self.start.as_ref().is_none_or(is_after) {
            self.selected.insert(key, row.to_vec());
            if self.selected.len() > self.query.limit + 1 {
                let _ =
                    if descending { self.selected.pop_first() } else { self.selected.pop_last() };
            }
        }
        ControlFlow::Continue(())
    }

    fn page(mut self) -> Page {
        let mut rows: Vec<_> = self.selected.into_iter().collect();
        if self.query.order.is_some_and(|(_, descending)| descending) {
            rows.reverse();
        }
        let _ = rows.iter().try_for_each(|((_, number), row)| self.builder.add(*number, row));
        self.builder.page
    }
}

/// The page as JSON. Decimals, dates, and times are strings.
pub(crate) fn json(query: &ReportQuery, rows: &RowBatch, next: Option<&str>) -> Vec<u8> {
    let table = rows.table;
    let names: Vec<String> =
        table.columns.iter().map(|column| format!("\"{}\":", column.name)).collect();
    let mut out = Vec::with_capacity(64 + rows.cells.len() * 24);
    let (run, report) = (query.run, query.report.spec.name);
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
            write_value(cell, column.cell_type, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"next\":");
    match next {
        // A cursor has digits, letters, and a dot.
        Some(next) => out.extend_from_slice(format!("\"{next}\"}}").as_bytes()),
        None => out.extend_from_slice(b"null}"),
    }
    out
}

fn write_value(cell: &Cell, cell_type: CellType, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Int(_) => write_text(cell, out),
        Cell::Text(text) if cell_type == CellType::Json => out.extend_from_slice(text.as_bytes()),
        Cell::Text(text) => write_string(text, out),
        Cell::Name(name) => write_string(name, out),
        Cell::Fixed(..) | Cell::Decimal(_) | Cell::Day(_) | Cell::Timestamp(_) => {
            out.push(b'"');
            write_text(cell, out);
            out.push(b'"');
        }
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("writing to memory does not fail");
}

/// The page as CSV. The first column is `run_id`.
pub(crate) fn csv(query: &ReportQuery, rows: &RowBatch) -> Vec<u8> {
    let mut out = Vec::new();
    write_file_header(rows.table, &mut out);
    write_file_rows(query.run, rows, &mut out);
    out
}

/// The rows of [`csv`] without the header.
pub(crate) fn csv_rows(query: &ReportQuery, rows: &RowBatch) -> Vec<u8> {
    let mut out = Vec::new();
    write_file_rows(query.run, rows, &mut out);
    out
}
