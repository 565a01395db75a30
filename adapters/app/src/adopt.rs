//! Adopted challenges (specification 10.7): the allocation of a challenger as an official run.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_challenge::NoWatcher;
use powerfill_engine::GivenPlacement;
use powerfill_events::challenge::{ChallengeEvent, ChallengeEventType, ChallengeId};
use powerfill_events::run::event::{RunOrigin, RunRequested};
use powerfill_events::run::{EventType, RunEvent, RunId};
use powerfill_events::values::{LoanId, TradeId};
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::Snapshot;
use tokio::task::spawn_blocking;

use crate::challenge::{ChallengeReplay, challenge_events, replay_challenge};
use crate::events::{read_types, run_input};
use crate::run::panicked;
use crate::{AppError, AppResult};

/// Why a challenge cannot be adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdoptable {
    /// It has no search.
    #[error(
        "{0} is a certificate: it has a bound and no allocation; search for one with `powerfill \
         challenge {run}`", run = .0.run
    )]
    Certificate(ChallengeId),
    /// Its run is a scenario.
    #[error("{0} challenges a scenario, which is never official; challenge an official run")]
    Scenario(ChallengeId),
    /// The checks find a fault in it.
    #[error("{0} does not hold: {1}")]
    Fault(ChallengeId, String),
    /// The run names a challenge in another form than this program.
    #[error("the run adopts {0:?}, which is not the name of a challenge")]
    Unknown(String),
}

/// What a run that adopts a challenge begins with.
pub struct Adoption {
    /// The input of the challenged run.
    pub snapshot: Arc<Snapshot>,
    /// Its request.
    pub requested: Box<RunRequested>,
    /// What the new run comes from.
    pub origin: RunOrigin,
}

impl Adoption {
    /// Reads a challenge and the input of its run, and checks every statement of the challenge
    /// again.
    ///
    /// # Errors
    /// [`NotAdoptable`]; the challenge does not exist; an event or the captured snapshot cannot be
    /// read; the store fails.
    pub async fn read(store: &dyn Store, challenge: ChallengeId) -> AppResult<Self> {
        let certificate = NotAdoptable::Certificate(challenge);
        let types = [ChallengeEventType::ChallengeRequested];
        match challenge_events(store, &challenge.stream(), &types).await?.first() {
            Some(ChallengeEvent::ChallengeRequested(requested)) if requested.steps > 0 => {}
            Some(_) => return Err(certificate.into()),
            None => return Err(AppError::no_challenge(challenge)),
        }
        let (requested, canonical) = run_input(store, challenge.run).await?;
        if requested.origin.scenario.is_some() {
            return Err(NotAdoptable::Scenario(challenge).into());
        }
        match replay_challenge(store, challenge, false, Box::new(NoWatcher)).await? {
            ChallengeReplay::Fault(fault) => {
                return Err(NotAdoptable::Fault(challenge, fault).into());
            }
            ChallengeReplay::Checked
            | ChallengeReplay::Reproduced
            | ChallengeReplay::Differs { .. } => {}
        }
        let read = spawn_blocking(move || Snapshot::from_canonical(&canonical));
        let snapshot = Arc::new(read.await.map_err(|panic| panicked(&panic))??);
        let RunOrigin { provenance, .. } = requested.origin.clone();
        let origin = RunOrigin { provenance, scenario: None, challenge: Some(challenge.stream()) };
        Ok(Self { snapshot, requested, origin })
    }
}

/// The allocation that a run adopts, by loan; `None` where the passes decide the run. It is that of
/// the challenged run with what the challenge decides otherwise.
///
/// # Errors
/// The challenge does not exist; an event cannot be read; the store fails.
pub(crate) async fn adopted_placements(
    store: &dyn Store,
    requested: &RunRequested,
) -> AppResult<Option<Vec<GivenPlacement>>> {
    let Some(name) = &requested.origin.challenge else { return Ok(None) };
    let challenge = ChallengeId::from_stream(name)
        .ok_or_else(|| AppError::from(NotAdoptable::Unknown(name.clone())))?;
    let mut trades = recorded_trades(store, challenge.run).await?;
    let types = [
        ChallengeEventType::ChallengeRequested,
        ChallengeEventType::ChallengerPlaced,
        ChallengeEventType::ChallengerReleased,
    ];
    let events = challenge_events(store, &challenge.stream(), &types).await?;
    if events.is_empty() {
        return Err(AppError::no_challenge(challenge));
    }
    for event in events {
        match event {
            ChallengeEvent::ChallengerPlaced(placed) => {
                trades.insert(placed.loan_id, placed.to_trade_id);
            }
            ChallengeEvent::ChallengerReleased(released) => {
                trades.remove(&released.loan_id);
            }
            _ => {}
        }
    }
    Ok(Some(placements(trades)))
}

/// As [`adopted_placements`]. Where the challenge is not in the store (the evidence of one run), or
/// the challenged run is archived, they are what the run itself has recorded.
pub(crate) async fn replayed_placements(
    store: &dyn Store,
    run: RunId,
    requested: &RunRequested,
) -> AppResult<Option<Vec<GivenPlacement>>> {
    match adopted_placements(store, requested).await {
        Err(AppError::Store(StoreError::NotFound { .. } | StoreError::Archived(_))) => {
            Ok(Some(placements(recorded_trades(store, run).await?)))
        }
        read => read,
    }
}

fn placements(trades: BTreeMap<LoanId, TradeId>) -> Vec<GivenPlacement> {
    let given = |(loan_id, trade_id)| GivenPlacement { loan_id, trade_id };
    trades.into_iter().map(given).collect()
}

/// Where the events of a run place each loan in the end.
async fn recorded_trades(store: &dyn Store, run: RunId) -> AppResult<BTreeMap<LoanId, TradeId>> {
    let types = [EventType::LoanAllocated, EventType::LoanMoved, EventType::LoanReleased];
    let types = types.map(|event_type| event_type.name().to_owned()).to_vec();
    let mut trades = BTreeMap::new();
    let mut batches = read_types(store, run, 1, types);
    while let Some(batch) = batches.try_next().await? {
        for decoded in batch {
            match decoded.event {
                RunEvent::LoanAllocated(placed) => {
                    trades.insert(placed.loan_id, placed.trade_id);
                }
                RunEvent::LoanMoved(moved) => {
                    trades.insert(moved.loan_id, moved.to_trade_id);
                }
                RunEvent::LoanReleased(released) => {
                    trades.remove(&released.loan_id);
                }
                _ => {}
            }
        }
    }
    Ok(trades)
}
