//! Challenges of runs (specification part 10): how far a run is from the best possible, and a
//! better allocation, found by `powerfill_challenge` and judged by `powerfill_checks`.

mod document;

use std::sync::Arc;

pub use document::{
    RecordedChallenge, certified_by, document, read_challenge, recorded_challenges,
};
use futures::TryStreamExt;
pub use powerfill_challenge::SearchWatcher;
use powerfill_challenge::{
    Instance, RunReader, SearchPlan, ShadowPrices, certified, completed, decided_otherwise,
    find_prices, search, seed_of,
};
use powerfill_checks::{ChallengeFault, ChallengeJudgment, judge_challenge};
use powerfill_engine::{Cancelled, ENGINE_VERSION, GivenPlacement};
use powerfill_events::challenge::{
    ChallengeEvent, ChallengeEventType, ChallengeId, ChallengeRequested, ChallengeWeights,
};
use powerfill_events::ignored;
use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{TenantId, derive_uuid};
use powerfill_ports::events::{Append, StoredEvent};
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::{RunOptions, Snapshot};
use tokio::task::spawn_blocking;

use crate::certificate::keep_certificate;
use crate::events::read_run;
use crate::in_memory::{InMemoryRun, read_input};
use crate::run::messages::EventChunk;
use crate::run::panicked;
use crate::{AppError, AppResult, Clock, RunControl};

/// The steps of a search by default.
pub const DEFAULT_STEPS: u64 = 5_000_000;

/// What is asked of a challenge.
#[derive(Debug, Clone)]
pub struct ChallengePlan {
    /// What a placement is worth beside its score.
    pub weights: ChallengeWeights,
    /// The steps of the search; 0 for a certificate alone.
    pub steps: u64,
    /// Who asks.
    pub requested_by: String,
}

/// A challenge that was made, and that the checks have judged.
#[derive(Debug, Clone)]
pub struct ChallengeResult {
    /// The run.
    pub run: RunId,
    /// Whose book it is.
    pub tenant: TenantId,
    /// Who asked.
    pub requested_by: String,
    /// The input of the run.
    pub snapshot: Arc<Snapshot>,
    /// The options of the run.
    pub options: RunOptions,
    /// The run's instance.
    pub instance: Instance,
    /// The shadow prices.
    pub prices: ShadowPrices,
    /// The challenger's allocation, or that of the run: per loan of the instance, its pair.
    pub allocation: Vec<Option<u32>>,
    /// All events of the challenge, in order.
    pub events: Vec<ChallengeEvent>,
    /// What the checks computed.
    pub judgment: ChallengeJudgment,
}

impl ChallengeResult {
    /// The placements of the allocation, by loan.
    pub fn placements(&self) -> Vec<GivenPlacement> {
        let placed = self.instance.loans.iter().zip(&self.allocation);
        let given = placed.filter_map(|(loan, pair)| {
            let trade = self.instance.pairs[(*pair)? as usize].trade as usize;
            let trade_id = self.instance.trades[trade].trade_id.clone();
            Some(GivenPlacement { loan_id: loan.loan_id.clone(), trade_id })
        });
        given.collect()
    }

    /// The run that adopts the allocation, in memory: its output tables are what the challenger
    /// would give.
    ///
    /// # Errors
    /// [`Cancelled`] if `control` stops it.
    pub fn adopted(&self, control: &RunControl) -> Result<InMemoryRun, Cancelled> {
        InMemoryRun::decide_given(&self.snapshot, &self.options, self.placements(), control)
    }
}

/// The run of a challenge.
pub(crate) struct ChallengeInput {
    pub(crate) run: RunId,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) options: RunOptions,
    /// From the request on; without `RunCompleted` while the run is being recorded.
    pub(crate) events: Vec<EventChunk>,
    pub(crate) is_being_recorded: bool,
}

/// Challenges a complete run. Nothing is recorded.
///
/// # Errors
/// The run does not exist or is not complete; its events or its captured snapshot cannot be read;
/// the checks find a fault; the store fails.
pub async fn challenge_run(
    store: &dyn Store,
    run: RunId,
    plan: ChallengePlan,
    mut watcher: Box<dyn SearchWatcher + Send>,
) -> AppResult<ChallengeResult> {
    let input = read_challenged(store, run).await?;
    let made = spawn_blocking(move || input.make(&plan, watcher.as_mut()));
    made.await.map_err(|error| panicked(&error))?
}

async fn read_challenged(store: &dyn Store, run: RunId) -> AppResult<ChallengeInput> {
    let (snapshot, requested) = read_input(store, run).await?;
    let mut events = Vec::new();
    let mut batches = read_run(store, run);
    while let Some(batch) = batches.try_next().await? {
        let needed = batch.into_iter().map(|decoded| decoded.event).filter(is_needed);
        events.push(Arc::new(needed.collect::<Vec<_>>()));
    }
    let options = requested.options;
    Ok(ChallengeInput { run, snapshot, options, events, is_being_recorded: false })
}

/// Whether a challenge reads the event.
fn is_needed(event: &RunEvent) -> bool {
    !matches!(
        event,
        ignored!(CashGrids CandidatesRejected PassCompleted PoolActionDerived Synthetic)
    )
}

impl ChallengeInput {
    fn judge(&self, events: &[ChallengeEvent]) -> Result<ChallengeJudgment, ChallengeFault> {
        let run: Vec<&[RunEvent]> = self.events.iter().map(|chunk| chunk.as_slice()).collect();
        judge_challenge(&self.snapshot, &self.options, &run, events)
    }

    pub(crate) fn make(
        &self,
        plan: &ChallengePlan,
        watcher: &mut dyn SearchWatcher,
    ) -> AppResult<ChallengeResult> {
        let mut reader = RunReader::new(&self.snapshot);
        let events = self.events.iter().flat_map(|chunk| chunk.iter());
        events.for_each(|event| reader.apply(event));
        if self.is_being_recorded {
            reader.completed();
        }
        let instance = reader.finish(plan.weights)?;
        let prices = find_prices(&instance);
        let seed = seed_of(&instance.snapshot_digest);
        let mut events = vec![ChallengeEvent::ChallengeRequested(Box::new(ChallengeRequested {
            run_id: self.run,
            snapshot_digest: instance.snapshot_digest.clone(),
            engine_version: ENGINE_VERSION.to_owned(),
            weights: plan.weights,
            steps: plan.steps,
            seed: format!("{seed:016x}"),
            requested_by: plan.requested_by.clone(),
        }))];
        events.extend(certified(&instance, &prices));
        let mut allocation = instance.run_allocation();
        let mut steps = 0;
        if plan.steps > 0 {
            let found = search(&instance, &prices, SearchPlan { steps: plan.steps, seed }, watcher);
            (allocation, steps) = (found.allocation, found.steps);
            events.extend(decided_otherwise(&instance, &prices, &allocation));
        }
        let own = (plan.steps > 0).then_some(&allocation[..]);
        events.push(ChallengeEvent::ChallengeCompleted(Box::new(completed(&instance, steps, own))));
        let judgment = self.judge(&events)?;
        if let Some(verified) = &judgment.challenger {
            let verified = ChallengeEvent::ChallengerVerified(Box::new(verified.clone()));
            events.insert(events.len() - 1, verified);
        }
        let tenant = TenantId::from(&self.snapshot.header.tenant_id);
        let requested_by = plan.requested_by.clone();
        Ok(ChallengeResult {
            run: self.run,
            tenant,
            requested_by,
            snapshot: Arc::clone(&self.snapshot),
            options: self.options.clone(),
            instance,
            prices,
            allocation,
            events,
            judgment,
        })
    }
}

/// Records a challenge in a stream of its own, `challenge-<run_id>-<n>`, with the next free number.
///
/// # Errors
/// The store fails, or belongs to another tenant.
pub async fn record_challenge(
    store: &dyn Store,
    clock: &dyn Clock,
    result: &ChallengeResult,
) -> AppResult<ChallengeId> {
    let run = result.run;
    let events = EncodedBatch::encode(&result.events);
    for number in 1.. {
        let id = ChallengeId { run, number };
        let stream = id.stream();
        if store.stream_version(&stream).await? > 0 {
            continue;
        }
        let meta = AppendMeta::new(result.tenant.clone(), &*result.requested_by, clock.now());
        let append = Append {
            append_id: derive_uuid("powerfill 2026 challenge append id", &[stream.as_bytes()]),
            stream,
            expected_version: 0,
            meta: AppendMeta { correlation_id: Some(run.0), ..meta },
            events: events.clone(),
            lease: None,
        };
        match store.append(append).await {
            Ok(_) => {
                keep_certificate(store, run).await?;
                return Ok(id);
            }
            // Another challenge of the run took the number.
            Err(StoreError::Conflict { .. } | StoreError::AppendIdReused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the numbers of challenges do not end")
}

/// The answer of [`replay_challenge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeReplay {
    /// Every statement holds, as the checks compute it. The search was not repeated.
    Checked,
    /// Every statement holds, and the search gives every event again, byte for byte.
    Reproduced,
    /// A statement does not hold.
    Fault(String),
    /// The first event that comes out otherwise.
    Differs {
        /// Its version in the stream; one more than there are if one is missing.
        version: u64,
        /// The program that recorded the challenge. If it is another one than
        /// [`ENGINE_VERSION`], a difference need not be a fault.
        recorded_by: String,
    },
}

/// Replays a recorded challenge: checks each statement exactly, and, if `reproduce`, makes the
/// challenge again and compares the events.
///
/// # Errors
/// The challenge does not exist; an event or the captured snapshot cannot be read; the store fails.
pub async fn replay_challenge(
    store: &dyn Store,
    id: ChallengeId,
    reproduce: bool,
    watcher: Box<dyn SearchWatcher + Send>,
) -> AppResult<ChallengeReplay> {
    let stored: Vec<StoredEvent> = store.read(&id.stream(), 1).try_concat().await?;
    let events = stored.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let requested = match events.first() {
        None => return Err(AppError::no_challenge(id)),
        Some(ChallengeEvent::ChallengeRequested(requested)) => (**requested).clone(),
        Some(_) => return Ok(ChallengeReplay::Fault("it does not begin with its request".into())),
    };
    let input = read_challenged(store, id.run).await?;
    let replayed = spawn_blocking(move || {
        if let Err(fault) = input.judge(&events) {
            return Ok(ChallengeReplay::Fault(fault.to_string()));
        }
        if !reproduce {
            return Ok(ChallengeReplay::Checked);
        }
        let made = match events.last() {
            Some(ChallengeEvent::ChallengeCompleted(completed)) => completed.steps,
            _ => return Ok(ChallengeReplay::Fault("it has no end".to_owned())),
        };
        let plan = ChallengePlan {
            weights: requested.weights,
            steps: requested.steps,
            requested_by: requested.requested_by.clone(),
        };
        let again = input.make(&plan, &mut RepeatedSearch { made, watcher })?;
        Ok(compare(&stored, again.events, requested))
    });
    replayed.await.map_err(|error| panicked(&error))?
}

fn compare(
    stored: &[StoredEvent],
    mut again: Vec<ChallengeEvent>,
    requested: ChallengeRequested,
) -> ChallengeReplay {
    let recorded_by = requested.engine_version.clone();
    // The answer names the programs; only what they found is compared.
    again[0] = ChallengeEvent::ChallengeRequested(Box::new(requested));
    let again = EncodedBatch::encode(&again);
    let pairs = stored.iter().zip(again.iter());
    let same = pairs
        .take_while(|(stored, (schema, payload))| {
            stored.event_type == schema.name() && stored.payload == *payload
        })
        .count();
    if same == stored.len() && same == again.len() {
        return ChallengeReplay::Reproduced;
    }
    ChallengeReplay::Differs { version: same as u64 + 1, recorded_by }
}

/// Ends a search after the steps that the recorded one made.
struct RepeatedSearch {
    made: u64,
    watcher: Box<dyn SearchWatcher + Send>,
}

impl SearchWatcher for RepeatedSearch {
    fn goes_on(&mut self, steps: u64, best: i64) -> bool {
        steps < self.made && self.watcher.goes_on(steps, best)
    }
}

/// The stored events of some types of a challenge.
async fn stored_of_types(
    store: &dyn Store,
    stream: &str,
    types: &[ChallengeEventType],
) -> AppResult<Vec<StoredEvent>> {
    let types = types.iter().map(|event_type| event_type.name().to_owned()).collect();
    Ok(store.read_types(stream, 1, types).try_concat().await?)
}

/// The events of some types of a challenge.
pub(crate) async fn challenge_events(
    store: &dyn Store,
    stream: &str,
    types: &[ChallengeEventType],
) -> AppResult<Vec<ChallengeEvent>> {
    stored_of_types(store, stream, types).await?.iter().map(decode).collect()
}

pub(crate) fn decode(stored: &StoredEvent) -> AppResult<ChallengeEvent> {
    ChallengeEvent::decode_stored(stored).map_err(|source| AppError::undecodable(stored, source))
}
