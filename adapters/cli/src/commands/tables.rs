//! `tables`: prints an output table of a run, made from its events, or writes a workbook.

use powerfill_app::as_of::check_event;
use powerfill_app::rebuild;
use powerfill_snapshot::near::suggestion;
use powerfill_tables::table::{RowBatch, TableSpec};
use powerfill_tables::tables::{ALL, named};

use super::open_run;
use crate::args::TablesArgs;
use crate::error::CliError;
use crate::format::Format;
use crate::output::{
    print_csv, print_json, print_rows_csv, print_rows_json, print_rows_text, print_table,
};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::workbook;

pub(crate) async fn run(args: TablesArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let (store, run) = open_run(&args.common.store, &args.run, settings).await?;
    let at = match args.at.at {
        Some(at) => check_event(store.as_ref(), run, at).await.map(|()| at)?,
        None => u64::MAX,
    };
    let table = args.table.as_deref().map(spec).transpose()?;
    let Some(format) = args.common.format.printed() else {
        let tables = if table.is_some() { table.as_slice() } else { ALL };
        return workbook::write(store.as_ref(), run, at, tables, args.out.as_deref(), |_| true)
            .await;
    };
    if args.out.is_some() {
        let message =
            "--out needs --format xlsx; other formats are printed: redirect them to a file with >";
        return Err(CliError::environment(message));
    }
    let Some(table) = table else {
        let mut counts = vec![0_u64; ALL.len()];
        rebuild::fold_to(store.as_ref(), run, at, async |batches, _| {
            for batch in batches {
                let at = ALL.iter().position(|table| std::ptr::eq(*table, batch.table));
                counts[at.unwrap_or_default()] += batch.len() as u64;
            }
            Ok(())
        })
        .await?;
        return list(&counts, format);
    };
    let mut rows = RowBatch::new(table);
    rebuild::fold_to(store.as_ref(), run, at, async |batches, _| {
        for mut batch in batches.into_iter().filter(|batch| std::ptr::eq(batch.table, table)) {
            rows.append(&mut batch);
        }
        Ok(())
    })
    .await?;
    match format {
        Format::Text => print_rows_text(&rows),
        Format::Json => print_rows_json(&rows),
        Format::Csv => print_rows_csv(run, &rows),
    }
}

pub(super) fn spec(name: &str) -> Result<&'static TableSpec, CliError> {
    named(name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|table| table.name).collect();
        CliError::environment(format!(
            "there is no output table {name}{}; the tables are {}",
            suggestion(name, names.iter().copied()),
            names.join(", ")
        ))
    })
}

fn list(counts: &[u64], format: Format) -> Result<(), CliError> {
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
