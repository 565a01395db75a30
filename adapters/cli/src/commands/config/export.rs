//! `config export`: the six tables as CSV files.

use std::fs;
use std::io;
use std::path::Path;

use powerfill_snapshot::config::{ConfigState, ConfigTable};

use super::looked_at;
use crate::args::ConfigExportArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;

pub(super) async fn run(args: ConfigExportArgs, settings: &Settings) -> Result<(), Failure> {
    let state = looked_at(&args.at, &args.store, settings).await?;
    let folder = &args.out;
    let unwritable = |error: io::Error| {
        Failure::Environment(format!("cannot write to {}: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    if fs::read_dir(folder).map_err(unwritable)?.next().is_some() {
        let message = format!("{} is not empty; name a new folder", folder.display());
        return Err(Failure::Environment(message));
    }
    let mut rows = 0;
    for table in ConfigTable::ALL {
        rows += write(&state, table, folder).map_err(unwritable)?;
    }
    let (version, place) = (state.version(), folder.display());
    say(format!("{rows} rows of 6 tables, version {version} of the configuration: {place}\n"))
}

/// Writes one table; how many rows it has.
fn write(state: &ConfigState, table: ConfigTable, folder: &Path) -> io::Result<usize> {
    let file = folder.join(format!("{table}.csv"));
    let mut out = ::csv::Writer::from_path(file)?;
    out.write_record(table.schema().column_names())?;
    let rows = state.rows(table);
    for (cells, _) in &rows {
        out.write_record(cells.iter().map(|(_, text)| text))?;
    }
    out.flush()?;
    Ok(rows.len())
}
