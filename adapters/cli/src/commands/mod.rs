//! One file per command.

pub(crate) mod adopt;
pub(crate) mod annotate;
pub(crate) mod brief;
pub(crate) mod cancel;
pub(crate) mod challenge;
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
pub(crate) mod report;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod snapshot;
pub(crate) mod step;
pub(crate) mod tables;
pub(crate) mod template;
pub(crate) mod token;
pub(crate) mod tries;
pub(crate) mod verify;
pub(crate) mod work;

use std::sync::Arc;

use clap::CommandFactory;
use futures::{StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
#[cfg(any(feature = "nats", feature = "parquet"))]
use powerfill_events::values::TenantId;
use powerfill_ports::Store;
#[cfg(any(feature = "nats", feature = "parquet"))]
use powerfill_ports::events::EventStore;
use powerfill_ports::runs::{QueuedRun, RunCursor, RunFilter, stream_runs};
use tokio::task::JoinSet;

use crate::args::{Cli, StoreArgs};
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> CliResult<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "powerfill", &mut script);
    print_text(String::from_utf8_lossy(&script))
}

/// Waits for all tasks. Logs each error at once, and returns the first. A task whose
/// answer is no has said so.
async fn join_all(mut tasks: JoinSet<CliResult<()>>, what: &str) -> CliResult<()> {
    let mut result = Ok(());
    while let Some(joined) = tasks.join_next().await {
        let ended = joined.map_err(|panic| CliError::context(what, panic))?;
        if let Err(error) = &ended
            && !matches!(error, CliError::NegativeAnswer)
        {
            tracing::error!("{error}");
        }
        result = result.and(ended);
    }
    result
}

/// Opens the store of a command that reads, and finds a run in it.
async fn open_run(
    args: &StoreArgs,
    wanted: &str,
    settings: &ProgramSettings,
) -> CliResult<(Arc<dyn Store>, RunId)> {
    let store = TenantStore::resolve(args, settings)?.open_for_reading().await?;
    let run = find_readable_run(store.as_ref(), wanted).await?;
    Ok((store, run))
}

/// As [`find_run`], for a command that needs the payloads of the run's events.
async fn find_readable_run(store: &dyn Store, wanted: &str) -> CliResult<RunId> {
    let run = find_run(store, wanted).await?;
    retention::ensure_payloads(store, run).await?;
    Ok(run)
}

/// The tenant of an open store: that of the command line, else that of the store's events.
#[cfg(any(feature = "nats", feature = "parquet"))]
async fn tenant_of(store: &TenantStore, opened: &dyn Store) -> CliResult<TenantId> {
    if let Some(tenant) = store.tenant_id() {
        return Ok(tenant.clone());
    }
    EventStore::tenant(opened).await?.ok_or_else(|| {
        CliError::environment(
            "the store has no events yet, so its tenant is unknown; name the tenant with --tenant",
        )
    })
}

/// Finds a run by its id, the beginning of its id, its name, `latest`, or `latest~N` for the Nth
/// before it; scenarios do not count. However many runs there are, it reads only those that it
/// needs.
pub(crate) async fn find_run(store: &dyn Store, wanted: &str) -> CliResult<RunId> {
    let id = |run: QueuedRun| run.run_id;
    let found: Vec<RunId> = match wanted.strip_prefix("latest") {
        Some(back) => {
            let back = match back {
                "" => Some(0),
                back => back.strip_prefix('~').and_then(|back| back.parse::<usize>().ok()),
            };
            let runs =
                stream_runs(store, RunFilter::Official).skip(back.unwrap_or(usize::MAX)).take(1);
            runs.map_ok(id).try_collect().await?
        }
        None => match ids_beginning_with(wanted) {
            Some((first, last)) => {
                store.runs_between(first, last, 2).await?.into_iter().map(id).collect()
            }
            None => store.runs_named(wanted).await?,
        },
    };
    match found.as_slice() {
        [run] => Ok(*run),
        [] if store.runs_after(RunCursor::START, 1, RunFilter::All).await?.is_empty() => {
            Err(CliError::environment("the store has no run yet; make one with `powerfill run`"))
        }
        [] if wanted.starts_with("latest~") => {
            let count: u64 = store.run_counts().await?.values().sum();
            let message =
                format!("no run {wanted}: the store has {count}; `powerfill runs` lists them");
            Err(CliError::environment(message))
        }
        [] => Err(CliError::environment(format!("no run {wanted}; `powerfill runs` lists them"))),
        _ => Err(CliError::environment(format!(
            "more than one run begins with {wanted}; give more of the id"
        ))),
    }
}

/// The first and the last id with this beginning, in lower or upper case. `None` if no id has it.
fn ids_beginning_with(beginning: &str) -> Option<(RunId, RunId)> {
    let beginning = beginning.to_ascii_lowercase();
    let digits = beginning.replace('-', "");
    let id = |filler: &str| {
        let id = format!("{digits}{}", filler.repeat(32_usize.checked_sub(digits.len())?));
        let id = id.parse::<RunId>().ok()?;
        id.to_string().starts_with(&beginning).then_some(id)
    };
    Some((id("0")?, id("f")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_gives_all_ids_with_it() {
        let ids = |beginning: &str| {
            ids_beginning_with(beginning)
                .map(|(first, last)| [first, last].map(|id| id.to_string()))
        };
        let whole = "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34";
        assert_eq!(ids(whole).unwrap(), [whole; 2]);
        let expected =
            ["01976c2e-0000-0000-0000-000000000000", "01976c2e-0fff-ffff-ffff-ffffffffffff"];
        assert_eq!(ids("01976C2E-0").unwrap()[0], expected[0]);
        assert_eq!(ids("01976C2E-0").unwrap()[1], expected[1]);
        for none in ["0197-6c2e", "latest1", "x", &format!("{whole}0"), "01976c2e0"] {
            assert_eq!(ids(none), None, "{none}");
        }
    }
}
