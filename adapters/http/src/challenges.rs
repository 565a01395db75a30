//! How far runs are from the best possible (specification part 10).

use axum::Json;
use powerfill_app::challenge::{
    RecordedChallenge, certified_by, document, read_challenge, recorded_challenges,
};
use powerfill_events::challenge::{ChallengeEvent, ChallengeId, NotAChallenge, RunCertificate};
use powerfill_events::run::RunId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::answer_object;
use crate::audit::find_runs;
use crate::caller::Viewer;
use crate::extract::Path;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};

answer_object! {
    /// How far a run is from the best possible: no allocation of its candidates within rooms,
    /// limits, and priorities is worth more than the bound.
    #[derive(Debug)]
    CertificateView(certificate: RunCertificate) {
        /// The challenge that says so.
        challenge: String = certificate.challenge,
        /// The gap in basis points of the amount of all eligible loans, to one decimal.
        gap_bp: String = certificate.gap_bp.to_string(),
        /// The bound less the worth of the run, in exact dollars.
        gap: String = certificate.certified.gap.to_string(),
        /// The bound, in exact dollars.
        bound: String = certificate.certified.bound.to_string(),
        /// What the run's allocation is worth, in exact dollars.
        run_worth: String = certificate.certified.run_worth.to_string(),
        /// The amount of all eligible loans.
        eligible_amount: String = certificate.certified.eligible_amount.to_string(),
    }
}

/// A recorded challenge of a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChallengeListItem {
    /// The name of the challenge.
    challenge: String,
    /// When it was recorded.
    recorded_at: String,
    /// The actor who asked for it.
    requested_by: Option<String>,
    /// The steps of its search that were made; 0 for the bound alone.
    steps: u64,
    /// How far the run is from the best possible, by this challenge and its weights.
    certificate: Option<CertificateView>,
    /// The gap of the better allocation, in exact dollars; null without a search.
    challenger_gap: Option<String>,
    /// The same in basis points of the amount of all eligible loans.
    challenger_gap_bp: Option<String>,
}

impl From<RecordedChallenge> for ChallengeListItem {
    fn from(recorded: RecordedChallenge) -> Self {
        let RecordedChallenge { id, recorded_at, events } = recorded;
        let certified = certified_by(&events);
        let mut item = Self {
            challenge: id.stream(),
            recorded_at: recorded_at.to_string(),
            requested_by: None,
            steps: 0,
            certificate: certified.map(|own| RunCertificate::new(id, own.clone()).into()),
            challenger_gap: None,
            challenger_gap_bp: None,
        };
        for event in &events {
            if let ChallengeEvent::ChallengeRequested(requested) = event {
                item.requested_by = Some(requested.requested_by.clone());
            } else if let ChallengeEvent::ChallengeCompleted(completed) = event {
                item.steps = completed.steps;
            } else if let ChallengeEvent::ChallengerVerified(verified) = event {
                item.challenger_gap = Some(verified.gap.to_string());
                item.challenger_gap_bp =
                    certified.map(|own| own.basis_points(verified.gap).to_string());
            }
        }
        item
    }
}

/// The challenges of a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChallengeList {
    /// In the order in which they were recorded.
    challenges: Vec<ChallengeListItem>,
}

/// The recorded challenges of a run, the first one first.
#[utoipa::path(get, operation_id = "challenges", tag = "challenges",
    path = "/api/powerfill/runs/{run_id}/challenges",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = ChallengeList)))]
pub(crate) async fn list(
    Viewer { caller, .. }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Json<ChallengeList>> {
    let store = find_runs(&caller, &[run]).await?;
    let challenges = recorded_challenges(store.as_ref(), run).await?;
    Ok(Json(ChallengeList { challenges: challenges.into_iter().map(Into::into).collect() }))
}

/// The challenge that a path names.
pub(crate) fn challenge_id(name: &str) -> ApiResult<ChallengeId> {
    let unknown = |why: NotAChallenge| Problem::new(ProblemKind::NotFound, format!("{why}."));
    name.parse().map_err(unknown)
}

/// A recorded challenge with everything that it found: the bound, the shadow prices, the loans
/// that it decides otherwise, and the sums of both allocations, as `powerfill challenge --json`
/// has them.
#[utoipa::path(get, operation_id = "challenge_of_run", tag = "challenges",
    path = "/api/powerfill/challenges/{challenge}",
    params(("challenge" = String, Path, description = "challenge-RUN_ID-NUMBER")),
    responses((status = 200, description = "The challenge", body = Object)))]
pub(crate) async fn show(
    Viewer { caller, .. }: Viewer,
    Path(challenge): Path<String>,
) -> ApiResult<Json<Value>> {
    let id = challenge_id(&challenge)?;
    let events = read_challenge(caller.store().await?.as_ref(), id).await?;
    document(id.run, Some(id), &events).map(Json).map_err(|error| internal(&error))
}
