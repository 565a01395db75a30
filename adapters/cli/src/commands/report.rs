//! `report`: what a run decided and is worth, as one document.

use std::io::{self, Write};

use powerfill_app::overview::overview;
use powerfill_events::run::RunId;
use powerfill_overview::Overview;
use powerfill_ports::Store;

use super::open_run;
use crate::args::RunReportArgs;
use crate::error::CliError;
use crate::settings::ProgramSettings;

pub(crate) async fn run(args: RunReportArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let (store, run) = open_run(&args.store, &args.run, settings).await?;
    let overview = complete_overview(store.as_ref(), run).await?;
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &overview).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The overview of a run, which must be Complete.
async fn complete_overview(store: &dyn Store, run: RunId) -> Result<Overview, CliError> {
    overview(store, run).await?.ok_or_else(|| {
        CliError::environment(format!(
            "run {run} is not Complete, so it has no report; `powerfill show {run}` says why"
        ))
    })
}
