//! `runs`: lists the runs of the store, latest first.

use futures::TryStreamExt;
use powerfill_ports::runs::stream_runs;

use crate::args::StorePrintArgs;
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

const COLUMNS: [&str; 4] = ["run_id", "status", "requested_at", "worker"];

pub(crate) async fn run(args: StorePrintArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.store, settings)?.open_existing().await?;
    let runs: Vec<_> = stream_runs(store.as_ref()).try_collect().await?;
    let rows: Vec<[String; 4]> = runs
        .iter()
        .map(|run| {
            let (id, at) = (run.run_id.to_string(), run.requested_at.to_string());
            [id, run.status.name().to_owned(), at, run.worker.clone().unwrap_or_default()]
        })
        .collect();
    match args.print.format {
        Format::Text => print_table(&COLUMNS, rows, &[])?,
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
