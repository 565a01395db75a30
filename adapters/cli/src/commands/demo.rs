//! `demo`: the sample tenant, made, run, summarised, and one loan of it explained.

use std::sync::Arc;
use std::time::Instant;

use powerfill_generator::{Scale, generate};
use powerfill_ports::Store;
use powerfill_snapshot::RunOptions;
use powerfill_tables::status::RunStatus;

use super::run::in_foreground;
use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::places::{Source, StoreUrl};
use crate::settings::Settings;
use crate::summary;

pub(crate) async fn run(args: DemoArgs, settings: &Settings) -> Result<(), Failure> {
    let folder = &args.folder;
    let snapshot = folder.join("snapshot");
    if !snapshot.join("loan.csv").exists() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Environment(format!("cannot make {}: {error}", folder.display()))
        })?;
        generate(&Scale::Demo.sizes(), args.seed, &snapshot)
            .map_err(|error| Failure::Environment(error.to_string()))?;
    }
    let started = Instant::now();
    let source = Source::Folder(snapshot);
    let validated = source.snapshot()?;
    let store: Arc<dyn Store> = StoreUrl::Sqlite(folder.join("powerfill.db")).open().await?;
    let requested_by = settings.requested_by(None);
    let tables = folder.join("tables");
    let options = RunOptions::default();
    let summary =
        in_foreground(Arc::clone(&store), validated, &options, &requested_by, Some(&tables))
            .await?;
    let took = started.elapsed();
    say(summary::text(&summary))?;
    let (took, place) = (took.as_secs_f64(), tables.display());
    say(format!("\nread, run, recorded and written in {took:.2} s: {place}\n"))?;
    if summary.status != RunStatus::Complete {
        return Err(Failure::Answered);
    }
    super::explain::sample(store.as_ref(), summary.run_id).await?;
    let store = folder.join("powerfill.db");
    let store = store.display();
    say(format!("\nAsk on: powerfill explain latest --loan LOAN_ID --store sqlite:{store}\n"))
}
