//! Writes the output tables of a run as a workbook, made from its events.

use std::io::{IsTerminal, Write};
use std::path::Path;

use powerfill_app::rebuild;
use powerfill_events::run::RunId;
use powerfill_overview::Overview;
use powerfill_ports::Store;
use powerfill_tables::table::{TableRef, TableSpec};
use powerfill_tables::tables::ALL;
use powerfill_xlsx::RunWorkbook;

use crate::error::{CliError, CliResult};

/// The tables of a workbook: all, or those that people read. Large tables are for programs.
pub(crate) fn tables_of(all: bool) -> Vec<TableRef> {
    ALL.iter().copied().filter(|table| all || table.built_from.is_none()).collect()
}

/// Writes a workbook of a run as of an event to a file, or without one to standard output, but
/// never to a terminal.
pub(crate) async fn write(
    store: &dyn Store,
    run: RunId,
    at: u64,
    tables: &[TableRef],
    overview: Option<&Overview>,
    file: Option<&Path>,
    keep: impl Fn(&TableSpec) -> bool,
) -> CliResult<()> {
    match file {
        Some(file) => prepare(file)?,
        None if std::io::stdout().is_terminal() => {
            let message = "a workbook cannot be printed to a terminal: name a file with --out FILE";
            return Err(CliError::environment(message));
        }
        None => {}
    }
    let mut book = RunWorkbook::new(run, file, tables).map_err(CliError::environment)?;
    let mut result = overview.map_or(Ok(()), |overview| book.add_overview(overview));
    rebuild::fold_to(store, run, at, async |batches, _| {
        for batch in batches {
            if result.is_ok() {
                result = book.add(&batch);
            }
        }
        Ok(())
    })
    .await?;
    result.map_err(CliError::environment)?;
    match file {
        Some(_) => book.save(keep).map_err(CliError::environment),
        None => {
            let bytes = book.into_bytes(keep).map_err(CliError::environment)?;
            std::io::stdout().lock().write_all(&bytes)?;
            Ok(())
        }
    }
}

/// As [`prepare`], for a file that must not exist.
pub(crate) fn prepare_new(file: &Path) -> CliResult<()> {
    if file.exists() {
        return Err(CliError::environment(format!("{} exists; name a new file", file.display())));
    }
    prepare(file)
}

/// Ensures that the file can be created: it is not a folder, and its folder exists.
pub(crate) fn prepare(file: &Path) -> CliResult<()> {
    if file.is_dir() {
        let (folder, example) = (file.display(), file.join("run.xlsx"));
        return Err(CliError::environment(format!(
            "{folder} is a folder; name a file, such as {}",
            example.display()
        )));
    }
    match file.parent() {
        Some(folder) => std::fs::create_dir_all(folder)
            .map_err(|error| CliError::context(format!("cannot write {}", file.display()), error)),
        None => Ok(()),
    }
}
