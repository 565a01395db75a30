//! The candidates of one node before a run (specification 4.3 `/candidates/preview`).

use axum::Json;
use powerfill_engine::candidates_of;
use powerfill_events::run::event::CandidateScored;
use powerfill_events::values::{ConstraintName, InstrumentName, InvestorId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::answer::answer_object;
use crate::caller::Operator;
use crate::extract::Body;
use crate::input::{from_snapshot, resolve_options};
use crate::position::page_size;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::schema::Options;

const DEFAULT_LIMIT: usize = 500;
const MAX_LIMIT: usize = 5_000;

/// The node of the candidates.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CandidatesAsked, example = json!({
    "investor_id": "FNMA", "investor_instrument_name": "FN30 5.5", "constraint_name": "",
    "limit": 20
}))]
pub(crate) struct CandidatesRequest {
    #[schema(min_length = 1)]
    investor_id: String,
    #[serde(default)]
    investor_instrument_name: String,
    #[serde(default)]
    constraint_name: String,
    /// The most candidates in the answer, 1 to 5000. Absent: 500.
    #[schema(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    /// Absent: the options of the tenant.
    #[schema(value_type = Option<Options>)]
    options: Option<Box<RawValue>>,
}

answer_object! {
    /// A pair that a run would score.
    #[schema(as = Candidate)]
    CandidateView(candidate: CandidateScored) {
        turn: u32 = candidate.turn,
        /// The rank in the turn, from 1, among the candidates of all nodes.
        candidate_rank: u32 = candidate.candidate_rank,
        loan_id: String = candidate.loan_id.to_string(),
        trade_id: String = candidate.trade_id.to_string(),
        interest_earning_days: i32 = candidate.pricing.interest_earning_days,
        price: String = candidate.pricing.price.to_string(),
        payup: String = candidate.pricing.payup.to_string(),
        carry_cost: String = candidate.pricing.carry_cost.to_string(),
        prx_plus_carry: String = candidate.pricing.prx_plus_carry.to_string(),
        score: String = candidate.pricing.score.to_string(),
    }
}

/// Candidates by turn and rank.
#[derive(Serialize, ToSchema)]
#[schema(as = Candidates)]
pub(crate) struct CandidatesView {
    candidates: Vec<CandidateView>,
    /// The number of all candidates.
    count: u64,
}

/// The candidates that a run would have for one node of the constraint tree; records nothing.
///
/// A pair belongs to the first node in walk order that the loan matches. If preflight refuses a
/// run, a 422 says why.
#[utoipa::path(post, security(("token" = ["operator"])), operation_id = "preview_candidates",
    path = "/api/powerfill/candidates/preview", tag = "input", request_body = CandidatesRequest,
    responses((status = 200, body = CandidatesView)))]
pub(crate) async fn preview(
    Operator { caller, api }: Operator,
    Body(request): Body<CandidatesRequest>,
) -> ApiResult<Json<CandidatesView>> {
    if request.investor_id.trim().is_empty() {
        return Err(Problem::bad("investor_id is empty; every node has one."));
    }
    let limit = page_size(request.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let options = resolve_options(request.options.as_deref(), caller.tenant.as_ref())?;
    let node = (
        InvestorId::from(request.investor_id),
        InstrumentName::from(request.investor_instrument_name),
        ConstraintName::from(request.constraint_name),
    );
    let found = from_snapshot(&api, &caller.tenant, move |validated| {
        candidates_of(&validated.snapshot, &options, (&node.0, &node.1, &node.2), limit)
    });
    let found = found.await?.map_err(|refused| {
        Problem::new(ProblemKind::Refused, refused.message).with("code", refused.code)
    })?;
    let candidates = found.first.into_iter().map(CandidateView::from).collect();
    Ok(Json(CandidatesView { candidates, count: found.count }))
}
