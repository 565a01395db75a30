//! One file per command.

pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod copy_store;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod events;
pub(crate) mod evidence;
pub(crate) mod explain;
#[cfg(feature = "parquet")]
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod migrate;
pub(crate) mod options;
pub(crate) mod preflight;
pub(crate) mod preprocess;
pub(crate) mod publish;
pub(crate) mod rebuild;
#[cfg(feature = "nats")]
pub(crate) mod relay;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod step;
pub(crate) mod tables;
pub(crate) mod template;
pub(crate) mod token;
pub(crate) mod verify;
pub(crate) mod work;

use std::pin::pin;
use std::sync::Arc;

use clap::CommandFactory;
use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_ports::Store;
use powerfill_ports::events::EventStore;
use powerfill_ports::runs::stream_runs;
use tokio::task::JoinSet;

use crate::args::{Cli, StoreArgs};
use crate::error::CliError;
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "powerfill", &mut script);
    print_text(String::from_utf8_lossy(&script))
}

/// Waits for all tasks. Logs each error at once, and returns the first.
async fn join_all(mut tasks: JoinSet<Result<(), CliError>>, what: &str) -> Result<(), CliError> {
    let mut result = Ok(());
    while let Some(joined) = tasks.join_next().await {
        let ended = joined.map_err(|panic| CliError::context(what, panic))?;
        if let Err(error) = &ended {
            tracing::error!("{error}");
        }
        result = result.and(ended);
    }
    result
}

/// Opens the store of a command, and finds a run in it.
async fn open_run(
    args: &StoreArgs,
    wanted: &str,
    settings: &ProgramSettings,
) -> Result<(Arc<dyn Store>, RunId), CliError> {
    let store = TenantStore::resolve(args, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), wanted).await?;
    Ok((store, run))
}

/// The tenant of an open store: that of the command line, else that of the store's events.
async fn tenant_of(store: &TenantStore, opened: &dyn Store) -> Result<TenantId, CliError> {
    if let Some(tenant) = store.tenant_id() {
        return Ok(tenant.clone());
    }
    EventStore::tenant(opened).await?.ok_or_else(|| {
        CliError::environment(
            "the store has no events yet, so its tenant is unknown; name the tenant with --tenant",
        )
    })
}

/// Finds a run by its id, the beginning of its id, `latest`, or `latest~N` for the Nth before it.
pub(crate) async fn find_run(store: &dyn Store, wanted: &str) -> Result<RunId, CliError> {
    let mut runs = pin!(stream_runs(store));
    let mut count = 0;
    if let Some(back) = wanted.strip_prefix("latest~") {
        let back = back.parse::<usize>().ok();
        while let Some(run) = runs.try_next().await? {
            if Some(count) == back {
                return Ok(run.run_id);
            }
            count += 1;
        }
        let message =
            format!("no run {wanted}: the store has {count}; `powerfill runs` lists them");
        return Err(CliError::environment(message));
    }
    let beginning = wanted.to_ascii_lowercase();
    let mut found = None;
    while let Some(run) = runs.try_next().await? {
        count += 1;
        if wanted == "latest" {
            return Ok(run.run_id);
        }
        if run.run_id.to_string().starts_with(&beginning) && found.replace(run.run_id).is_some() {
            let message = format!("more than one run begins with {wanted}; give more of the id");
            return Err(CliError::environment(message));
        }
    }
    let none = || match count {
        0 => "the store has no run yet; make one with `powerfill run`".to_owned(),
        _ => format!("no run {wanted}; `powerfill runs` lists them"),
    };
    found.ok_or_else(|| CliError::environment(none()))
}
