//! `snapshot export`: the captured input of a run as a source.

use std::path::Path;

use powerfill_app::run_input;
use powerfill_snapshot::{RawTable, Snapshot};

use super::open_run;
use crate::CommandFuture;
use crate::args::{SnapshotCommand, SnapshotExportArgs};
use crate::error::{CliError, CliResult};
use crate::out_place::{ensure_folder, is_workbook};
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::workbook;

pub(crate) fn run(command: SnapshotCommand, settings: &ProgramSettings) -> CommandFuture<'_> {
    match command {
        SnapshotCommand::Export(args) => Box::pin(export(args, settings)),
    }
}

async fn export(args: SnapshotExportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open_run(&args.store, &args.run, settings).await?;
    let (requested, canonical) = run_input(store.as_ref(), run).await?;
    let unreadable = |error| CliError::context(format!("the input of run {run}"), error);
    let tables = Snapshot::tables_of_canonical(&canonical).map_err(unreadable)?;
    let source = write(&args.out, &tables)?;
    let rows: usize = tables.iter().map(RawTable::rows).sum();
    print_text(format_args!(
        "{} has the input of run {run}: {} rows, input digest {}\n\
         read it with: powerfill check {source}\n",
        args.out.display(),
        count(rows as u64),
        requested.snapshot_digest
    ))
}

/// Writes tables to a new workbook or folder, and returns it as a source.
fn write(out: &Path, tables: &[RawTable]) -> CliResult<String> {
    if is_workbook(out) {
        workbook::prepare_new(out)?;
        powerfill_xlsx::write_tables(out, tables).map_err(CliError::environment)?;
        return Ok(format!("xlsx:{}", out.display()));
    }
    ensure_folder(out)?;
    powerfill_csv::write_tables(out, tables).map_err(CliError::environment)?;
    Ok(format!("dir:{}", out.display()))
}
