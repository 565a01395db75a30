//! `runs`: lists the runs of the store, latest first.

use futures::{StreamExt, TryStreamExt};
use powerfill_ports::runs::stream_runs;

use crate::args::RunsArgs;
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

/// Without --limit, a person gets a page, and a program every run.
const RUNS_AS_TEXT: usize = 50;

const COLUMNS: [&str; 4] = ["run_id", "status", "requested_at", "worker"];

pub(crate) async fn run(args: RunsArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_for_reading().await?;
    let limit = args.limit.or(match args.common.print.format {
        Format::Text => Some(RUNS_AS_TEXT),
        Format::Csv | Format::Json => None,
    });
    let limit = limit.unwrap_or(usize::MAX);
    let listed = stream_runs(store.as_ref()).take(limit.saturating_add(1));
    let mut runs: Vec<_> = listed.try_collect().await?;
    let has_more = runs.len() > limit;
    runs.truncate(limit);
    let rows: Vec<[String; 4]> = runs
        .iter()
        .map(|run| {
            let (id, at) = (run.run_id.to_string(), run.requested_at.to_string());
            [id, run.status.name().to_owned(), at, run.worker.clone().unwrap_or_default()]
        })
        .collect();
    match args.common.print.format {
        Format::Text => {
            print_table(&COLUMNS, rows, &[])?;
            if has_more {
                print_text("There are earlier runs; --limit N lists the latest N\n")?;
            }
        }
        Format::Csv => print_csv(&COLUMNS, rows)?,
        Format::Json => {
            let objects: Vec<serde_json::Map<String, serde_json::Value>> = rows
                .iter()
                .map(|row| {
                    let cells = COLUMNS.iter().zip(row);
                    cells.map(|(name, cell)| ((*name).to_owned(), cell.as_str().into())).collect()
                })
                .collect();
            print_json(&objects)?;
        }
    }
    Ok(())
}
