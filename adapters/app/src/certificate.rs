//! How far a run is from the best possible (specification 10.2), as it is recorded: computed while
//! the run is being recorded, and read again.

use std::sync::Arc;

use parking_lot::Mutex;
use powerfill_challenge::NoWatcher;
use powerfill_events::challenge::{
    ChallengeEvent, ChallengeEventType, ChallengeId, ChallengeWeights, RunCertificate,
    ShadowPriceFound,
};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_ports::Store;
use tokio::sync::oneshot;

use crate::challenge::{
    ChallengeInput, ChallengePlan, ChallengeResult, challenge_events, record_challenge,
};
use crate::run::messages::{DecisionInput, EventChunk};
use crate::{AppError, AppResult, Clock};

/// The most candidates of a run that gets a bound without being asked for it. A bound of more takes
/// minutes, and gigabytes of memory.
const MAX_CANDIDATES: usize = 5_000_000;

/// The answer of the thread that computes a bound.
pub(crate) type PendingBound = oneshot::Receiver<AppResult<ChallengeResult>>;

/// Computes the bounds of runs beside their recording, each on a thread of its own. A process that
/// ends does not wait for it.
#[derive(Default)]
pub(crate) struct Certifier {
    pending: Mutex<Option<(RunId, PendingBound)>>,
}

impl Certifier {
    /// Begins with the bound of a run that is decided, unless it is very large. A former bound that
    /// was not taken is dropped.
    pub(crate) fn begin(&self, input: &DecisionInput, decided: &[EventChunk]) {
        let events = decided.iter().flat_map(|chunk| chunk.iter());
        let candidates = events.filter(|event| matches!(event, RunEvent::CandidateScored(_)));
        if candidates.count() > MAX_CANDIDATES {
            return;
        }
        let request = RunEvent::RunRequested(Box::new(input.requested.clone()));
        let plan = ChallengePlan {
            weights: ChallengeWeights::default(),
            steps: 0,
            requested_by: input.requested.requested_by.clone(),
        };
        let run = ChallengeInput {
            run: input.run,
            snapshot: Arc::clone(&input.snapshot),
            options: input.requested.options.clone(),
            events: std::iter::once(Arc::new(vec![request])).chain(decided.to_vec()).collect(),
            is_being_recorded: true,
        };
        let (answer, pending) = oneshot::channel();
        *self.pending.lock() = Some((input.run, pending));
        std::thread::spawn(move || {
            let _ = answer.send(run.make(&plan, &mut NoWatcher));
        });
    }

    /// The bound of a run, if it was begun.
    pub(crate) fn take(&self, run: RunId) -> Option<PendingBound> {
        self.pending.lock().take_if(|(of, _)| *of == run).map(|(_, pending)| pending)
    }
}

/// Waits for the bound of a Complete run, and records it.
pub(crate) async fn record_bound(
    store: &dyn Store,
    clock: &dyn Clock,
    pending: PendingBound,
) -> AppResult<RunCertificate> {
    let broke_off = |_| AppError::Panicked("the thread of its certificate ended".to_owned());
    let result = pending.await.map_err(broke_off)??;
    let id = record_challenge(store, clock, &result).await?;
    Ok(RunCertificate::new(id, result.judgment.certified))
}

/// The certificate of a run: the tightest recorded bound with the default weights.
///
/// # Errors
/// An event cannot be read; the store fails.
pub async fn recorded_certificate(
    store: &dyn Store,
    run: RunId,
) -> AppResult<Option<RunCertificate>> {
    let types = [ChallengeEventType::ChallengeRequested, ChallengeEventType::BoundCertified];
    let mut tightest: Option<RunCertificate> = None;
    for number in 1.. {
        let id = ChallengeId { run, number };
        match &challenge_events(store, &id.stream(), &types).await?[..] {
            [
                ChallengeEvent::ChallengeRequested(requested),
                ChallengeEvent::BoundCertified(own),
            ] => {
                let is_tighter =
                    tightest.as_ref().is_none_or(|known| own.gap < known.certified.gap);
                if requested.weights == ChallengeWeights::default() && is_tighter {
                    tightest = Some(RunCertificate::new(id, (**own).clone()));
                }
            }
            [] => break,
            _ => {}
        }
    }
    Ok(tightest)
}

/// The certificate of a run, and the shadow prices from which it follows.
///
/// # Errors
/// As for [`recorded_certificate`].
pub async fn certificate_with_prices(
    store: &dyn Store,
    run: RunId,
) -> AppResult<Option<(RunCertificate, Vec<ShadowPriceFound>)>> {
    let Some(certificate) = recorded_certificate(store, run).await? else { return Ok(None) };
    let prices = recorded_prices(store, &certificate).await?;
    Ok(Some((certificate, prices)))
}

/// The shadow prices from which the bound of a certificate follows: the list of what binds (10.2),
/// the highest price first.
async fn recorded_prices(
    store: &dyn Store,
    certificate: &RunCertificate,
) -> AppResult<Vec<ShadowPriceFound>> {
    let types = [ChallengeEventType::ShadowPriceFound];
    let events = challenge_events(store, &certificate.challenge, &types).await?;
    let prices = events.into_iter().filter_map(|event| match event {
        ChallengeEvent::ShadowPriceFound(found) => Some(*found),
        _ => None,
    });
    let mut prices: Vec<ShadowPriceFound> = prices.collect();
    prices.sort_by_key(|found| std::cmp::Reverse(found.price));
    Ok(prices)
}

/// Keeps the certificate of a run in the list of runs, if the list has the run.
pub(crate) async fn keep_certificate(store: &dyn Store, run: RunId) -> AppResult<()> {
    let kept = store.headlines(vec![run]).await?.remove(&run);
    let Some(mut headline) = kept.and_then(|kept| kept.headline) else { return Ok(()) };
    let certificate = recorded_certificate(store, run).await?;
    if headline.certificate != certificate {
        headline.certificate = certificate;
        store.put_headline(run, &headline).await?;
    }
    Ok(())
}
