//! `challenge`: how far a run is from the best possible, and a better allocation (specification
//! part 10).

mod files;
mod text;

pub(crate) use text::{list_prices, whole_dollars, within};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use powerfill_app::SystemClock;
use powerfill_app::challenge::{
    ChallengePlan, ChallengeReplay, ChallengeResult, DEFAULT_STEPS, challenge_run, document,
    record_challenge, replay_challenge,
};
use powerfill_challenge::{NoWatcher, SearchWatcher};
use powerfill_events::challenge::{ChallengeId, ChallengeWeights};
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use serde_json::json;

use super::{find_readable_run, open_run};
use crate::args::{ChallengeArgs, ReplayArgs};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::progress::progress_bar;
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

pub(crate) async fn run(args: ChallengeArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open(&args, settings).await?;
    let plan = ChallengePlan {
        weights: args.weights.weights(),
        steps: args.steps,
        requested_by: settings.requested_by(None),
    };
    let limit = args.seconds.map(Duration::from_secs);
    let result = make(store.as_ref(), run, plan, limit).await?;
    let recorded = match args.no_record {
        true => None,
        false => Some(record_challenge(store.as_ref(), &SystemClock, &result).await?),
    };
    if let Some(folder) = &args.out {
        files::write(folder, &result)
            .map_err(|error| CliError::context(folder.display().to_string(), error))?;
    }
    match if args.json { Format::Json } else { args.common.print.format } {
        Format::Text => {
            print_text(text::text(run, &result))?;
            match recorded {
                Some(id) => print_text(format!("\nRecorded as {id}\n")),
                None => Ok(()),
            }
        }
        Format::Json => {
            let document = document(run, recorded, &result.events);
            print_json(&document.map_err(CliError::environment)?)
        }
        Format::Csv => print_csv(&files::DUALS_HEADER, files::duals(&result)),
    }
}

/// Challenges a run in the foreground: with a progress bar, and Ctrl-C ends the search.
async fn make(
    store: &dyn Store,
    run: RunId,
    plan: ChallengePlan,
    limit: Option<Duration>,
) -> CliResult<ChallengeResult> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let bar = progress_bar();
    bar.set_length(plan.steps);
    bar.set_message("bound");
    let watcher = ForegroundWatcher {
        bar: bar.clone(),
        is_interrupted: Arc::clone(&is_interrupted),
        limit,
        started: None,
    };
    let mut challenging = Box::pin(challenge_run(store, run, plan, Box::new(watcher)));
    let result = tokio::select! {
        result = &mut challenging => result,
        _ = tokio::signal::ctrl_c() => {
            is_interrupted.store(true, Ordering::Relaxed);
            challenging.await
        }
    };
    bar.finish_and_clear();
    Ok(result?)
}

/// Challenges a run that has just been completed, and records the challenge.
pub(crate) async fn after_run(
    store: &dyn Store,
    run: RunId,
    requested_by: String,
    prints: bool,
) -> CliResult<()> {
    let weights = ChallengeWeights::default();
    let plan = ChallengePlan { weights, steps: DEFAULT_STEPS, requested_by };
    let result = make(store, run, plan, None).await?;
    let id = record_challenge(store, &SystemClock, &result).await?;
    match prints {
        false => Ok(()),
        true => print_text(format!("\n{}\nRecorded as {id}\n", text::text(run, &result))),
    }
}

/// Opens the store, for writing if the challenge is recorded, and finds the run.
async fn open(
    args: &ChallengeArgs,
    settings: &ProgramSettings,
) -> CliResult<(Arc<dyn Store>, RunId)> {
    if args.no_record {
        return open_run(&args.common.store, &args.run, settings).await;
    }
    let store = TenantStore::resolve(&args.common.store, settings)?.open_existing().await?;
    let run = find_readable_run(store.as_ref(), &args.run).await?;
    Ok((store, run))
}

/// `replay CHALLENGE`.
pub(crate) async fn replay(
    args: &ReplayArgs,
    id: ChallengeId,
    settings: &ProgramSettings,
) -> CliResult<()> {
    let store = TenantStore::resolve(&args.run.common.store, settings)?.open_for_reading().await?;
    let watcher = Box::new(NoWatcher);
    let answer = replay_challenge(store.as_ref(), id, !args.check, watcher).await?;
    let (word, text) = match &answer {
        ChallengeReplay::Checked => ("checked", "Checked: every statement holds".to_owned()),
        ChallengeReplay::Reproduced => {
            ("reproduced", "Reproduced: every statement holds, and every event is the same".into())
        }
        ChallengeReplay::Fault(fault) => ("fault", format!("Not valid: {fault}")),
        ChallengeReplay::Differs { version, recorded_by } => (
            "differs",
            format!("Not reproduced: event {version} differs; engine {recorded_by} recorded it"),
        ),
    };
    match args.run.common.print.format {
        Format::Text => print_text(format!("{text}\n{id}\n"))?,
        Format::Json => {
            print_json(&json!({ "challenge": id.stream(), "answer": word, "text": text }))?
        }
        Format::Csv => {
            print_csv(&["challenge", "answer", "text"], [[id.stream(), word.into(), text]])?
        }
    }
    match answer {
        ChallengeReplay::Checked | ChallengeReplay::Reproduced => Ok(()),
        ChallengeReplay::Fault(_) | ChallengeReplay::Differs { .. } => {
            Err(CliError::NegativeAnswer)
        }
    }
}

/// Shows the progress of a search, and ends it after a time or at Ctrl-C.
struct ForegroundWatcher {
    bar: ProgressBar,
    is_interrupted: Arc<AtomicBool>,
    limit: Option<Duration>,
    /// When the search began.
    started: Option<Instant>,
}

impl SearchWatcher for ForegroundWatcher {
    fn goes_on(&mut self, steps: u64, _best: i64) -> bool {
        let started = *self.started.get_or_insert_with(Instant::now);
        self.bar.set_message("search");
        self.bar.set_position(steps);
        let is_late = self.limit.is_some_and(|limit| started.elapsed() >= limit);
        !is_late && !self.is_interrupted.load(Ordering::Relaxed)
    }
}
