//! `config export`: writes the six tables as CSV files.

use std::fs;
use std::io;
use std::path::Path;

use powerfill_snapshot::config::{ConfigState, ConfigTable};

use super::configuration_at;
use crate::args::ConfigExportArgs;
use crate::error::{CliError, CliResult};
use crate::out_place;
use crate::output::print_text;
use crate::settings::ProgramSettings;

pub(super) async fn run(args: ConfigExportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let state = configuration_at(&args.at, &args.common, settings).await?;
    let folder = &args.out;
    out_place::ensure_folder(folder)?;
    let unwritable = |error: io::Error| {
        CliError::context(format!("cannot write to {}", folder.display()), error)
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    if fs::read_dir(folder).map_err(unwritable)?.next().is_some() {
        let message = format!("{} is not empty; name a new folder", folder.display());
        return Err(CliError::environment(message));
    }
    let mut rows = 0;
    for table in ConfigTable::ALL {
        rows += write(&state, table, folder).map_err(unwritable)?;
    }
    let (version, folder) = (state.version(), folder.display());
    let what = format!("{rows} rows of 6 tables, version {version} of the configuration");
    print_text(format!("{what}: {folder}\n"))
}

/// Writes one table, and returns its number of rows.
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
