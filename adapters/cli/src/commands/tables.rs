//! `tables`: prints an output table of a run, made from its events, or writes a workbook.

use futures::TryStreamExt;
use powerfill_app::as_of::check_event;
use powerfill_app::overview::overview;
use powerfill_app::rebuild;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_ports::projections::RunRows;
use powerfill_snapshot::near::suggestion;
use powerfill_tables::csv;
use powerfill_tables::table::{RowBatch, TableRef};
use powerfill_tables::tables::{ALL, named};

use super::open_run;
use crate::args::{SelectionArgs, TablesArgs};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{
    cell_text, json_rows, print_csv, print_json, print_rows_csv, print_rows_json, print_rows_text,
    print_table, print_text, selected_json,
};
use crate::selection::{SelectedRows, Selection};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::{out_place, workbook};

pub(crate) async fn run(args: TablesArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open_run(&args.common.store, &args.run, settings).await?;
    let at = match args.at.at {
        Some(at) => check_event(store.as_ref(), run, at).await.map(|()| at)?,
        None => u64::MAX,
    };
    let table = args.table.as_deref().map(spec).transpose()?;
    let selection = selection(&args.selection, table)?;
    let is_workbook = args.out.as_deref().is_some_and(out_place::is_workbook);
    let Some(format) = args.common.format.printed().filter(|_| !is_workbook) else {
        // Without a table, and not as of an event, it is the workbook of the whole run.
        let is_whole = table.is_none() && at == u64::MAX;
        let overview = if is_whole { overview(store.as_ref(), run).await? } else { None };
        let tables = table.map_or_else(|| workbook::tables_of(args.all), |table| vec![table]);
        let (overview, file) = (overview.as_ref(), args.out.as_deref());
        return workbook::write(store.as_ref(), run, at, &tables, overview, file, |_| true).await;
    };
    if args.out.is_some() {
        let message =
            "--out is for workbooks (FILE.xlsx); other formats are printed: redirect them with >";
        return Err(CliError::environment(message));
    }
    let Some(table) = table else {
        return list(&row_counts(store.as_ref(), run, at).await?, format);
    };
    let mut rows = RowBatch::new(table);
    let mut has_history = false;
    if table.keeps_every_run && args.at.at.is_none() {
        let mut runs: Vec<RunRows> = store.rows(table).try_collect().await?;
        // Evidence keeps no tables; its history is that of its run.
        has_history = !runs.is_empty();
        if has_history && selection.is_none() {
            return print_history(&runs, table, format);
        }
        runs.iter_mut().for_each(|runs| rows.append(&mut runs.rows));
    }
    if !has_history {
        rebuild::fold_to(store.as_ref(), run, at, async |batches, _| {
            for mut batch in batches.into_iter().filter(|batch| std::ptr::eq(batch.table, table)) {
                rows.append(&mut batch);
            }
            Ok(())
        })
        .await?;
    }
    match (selection, format) {
        (None, Format::Text) => print_rows_text(&SelectedRows::all(&rows)),
        (None, Format::Json) => print_rows_json(&rows),
        (None, Format::Csv) => print_rows_csv(run, &rows),
        (Some(selection), format) => print_selected(&selection.apply(&rows), format),
    }
}

/// The number of rows per table, in the order of [`ALL`].
async fn row_counts(store: &dyn Store, run: RunId, at: u64) -> CliResult<Vec<u64>> {
    let mut counts = vec![0_u64; ALL.len()];
    rebuild::fold_to(store, run, at, async |batches, _| {
        for batch in batches {
            let at = ALL.iter().position(|table| std::ptr::eq(*table, batch.table));
            counts[at.unwrap_or_default()] += batch.len() as u64;
        }
        Ok(())
    })
    .await?;
    Ok(counts)
}

fn print_selected(rows: &SelectedRows<'_>, format: Format) -> CliResult<()> {
    match format {
        Format::Text => print_rows_text(rows),
        Format::Json => print_json(&selected_json(rows)),
        Format::Csv => {
            let header: Vec<&str> = rows.columns.iter().map(|column| column.name).collect();
            print_csv(&header, rows.rows.iter().map(|row| row.iter().map(|cell| cell_text(cell))))
        }
    }
}

/// Prints the rows of every run of a table that keeps them.
fn print_history(runs: &[RunRows], table: TableRef, format: Format) -> CliResult<()> {
    let ids = |runs: &RunRows| vec![runs.run_id.to_string(); runs.rows.len()];
    match format {
        Format::Text => {
            let header = ["run_id"].into_iter().chain(table.columns.iter().map(|c| c.name));
            let rows = runs.iter().flat_map(|runs| {
                let cells = runs.rows.rows().map(|row| row.iter().map(cell_text));
                ids(runs).into_iter().zip(cells).map(|(id, cells)| [id].into_iter().chain(cells))
            });
            print_table(&header.collect::<Vec<_>>(), rows, &[])
        }
        Format::Json => {
            let objects = runs.iter().flat_map(|runs| {
                ids(runs).into_iter().zip(json_rows(&runs.rows)).map(|(id, mut row)| {
                    if let Some(row) = row.as_object_mut() {
                        row.insert("run_id".to_owned(), id.into());
                    }
                    row
                })
            });
            print_json(&objects.collect::<Vec<_>>())
        }
        Format::Csv => {
            let mut text = Vec::new();
            csv::write_file_header(table, &mut text);
            runs.iter().for_each(|runs| csv::write_file_rows(runs.run_id, &runs.rows, &mut text));
            print_text(String::from_utf8_lossy(&text))
        }
    }
}

/// What the arguments choose of a table; `None` if they choose nothing.
fn selection(args: &SelectionArgs, table: Option<TableRef>) -> CliResult<Option<Selection>> {
    if args.is_empty() {
        return Ok(None);
    }
    let Some(table) = table else {
        let message = "--columns, --where, --sort, and --top need a table: name it after the run";
        return Err(CliError::environment(message));
    };
    Selection::of(args, table).map(Some)
}

pub(super) fn spec(name: &str) -> CliResult<TableRef> {
    named(name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|table| table.name).collect();
        CliError::environment(format!(
            "there is no output table {name}{}; the tables are {}",
            suggestion(name, names.iter().copied()),
            names.join(", ")
        ))
    })
}

fn list(counts: &[u64], format: Format) -> CliResult<()> {
    let tables = ALL.iter().zip(counts);
    match format {
        Format::Text => {
            let rows = tables.map(|(table, rows)| [table.name.to_owned(), count(*rows)]);
            print_table(&["table", "rows"], rows, &[1])
        }
        Format::Json => {
            let rows: serde_json::Map<String, serde_json::Value> =
                tables.map(|(table, rows)| (table.name.to_owned(), (*rows).into())).collect();
            print_json(&rows)
        }
        Format::Csv => {
            let rows = tables.map(|(table, rows)| [table.name.to_owned(), rows.to_string()]);
            print_csv(&["table", "rows"], rows)
        }
    }
}
