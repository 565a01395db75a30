//! The whole story of a loan or a trade in a run (specification 3.4).

use axum::Json;
use powerfill_app::explain::{self, explain_loan, explain_pair, explain_trade};
use powerfill_engine::what_if::NoAnswer;
use powerfill_events::run::RunId;
use powerfill_explain::LoanOutcome;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::audit::audit;
use crate::blocking::spawn_blocking;
use crate::caller::Viewer;
use crate::extract::{Path, Query};
use crate::problem::{ApiResult, Problem, ProblemKind, internal};

fn story_of(account: &impl serde::Serialize) -> ApiResult<Json<Value>> {
    serde_json::to_value(account).map(Json).map_err(|error| internal(&error))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LoanStoryQuery {
    /// A trade: why the loan is, or is not, in it, instead of the whole story.
    trade: Option<String>,
}

/// The story of a loan: the answer in one sentence (`verdict`), its matches, its candidates, why it
/// did not get each better one, and its result.
#[utoipa::path(get, operation_id = "loan", tag = "stories",
    path = "/api/powerfill/runs/{run_id}/loans/{loan_id}/explain",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("loan_id" = String, Path, description = "The loan, as the snapshot spells it"),
        LoanStoryQuery),
    responses((status = 200, description = "The story", body = Object)))]
pub(crate) async fn explain_loan_in_run(
    Viewer { caller, .. }: Viewer,
    Path((run, loan)): Path<(RunId, String)>,
    Query(query): Query<LoanStoryQuery>,
) -> ApiResult<Json<Value>> {
    let store = caller.store().await?;
    spawn_blocking(async move || {
        if let Some(trade) = query.trade {
            let account = explain_pair(store.as_ref(), run, &loan, &trade).await?;
            ensure_known(account.is_unknown(), &account.verdict)?;
            return story_of(&account);
        }
        let account = explain_loan(store.as_ref(), run, &loan).await?;
        ensure_known(account.is_unknown(), &account.verdict)?;
        story_of(&account)
    })
    .await
}

/// Refuses what the run does not have, in the words of the verdict.
fn ensure_known(is_unknown: bool, verdict: &str) -> ApiResult<()> {
    match is_unknown {
        true => Err(Problem::new(ProblemKind::NotFound, verdict)),
        false => Ok(()),
    }
}

/// The story of a trade: the answer in one sentence (`verdict`), the loans that filled it, in
/// order, and those that it rejected.
#[utoipa::path(get, operation_id = "trade", tag = "stories",
    path = "/api/powerfill/runs/{run_id}/trades/{trade_id}/explain",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("trade_id" = String, Path, description = "The trade, as the snapshot spells it")),
    responses((status = 200, description = "The story", body = Object)))]
pub(crate) async fn explain_trade_in_run(
    Viewer { caller, .. }: Viewer,
    Path((run, trade)): Path<(RunId, String)>,
) -> ApiResult<Json<Value>> {
    let store = caller.store().await?;
    spawn_blocking(async move || {
        let account = explain_trade(store.as_ref(), run, &trade).await?;
        ensure_known(account.is_unknown(), &account.verdict)?;
        story_of(&account)
    })
    .await
}

/// Finds the smallest changes that would have placed a kicked-out loan, by running the passes
/// again: one answer per kind of change, as `powerfill explain --what-if --format json` has them.
/// Records nothing.
#[utoipa::path(post, operation_id = "what_if", tag = "stories",
    path = "/api/powerfill/runs/{run_id}/loans/{loan_id}/what-if",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("loan_id" = String, Path, description = "The loan, as the snapshot spells it")),
    responses((status = 200, description = "The answers", body = Object), (status = 422)))]
pub(crate) async fn what_if(
    Viewer { caller, api }: Viewer,
    Path((run, loan)): Path<(RunId, String)>,
) -> ApiResult<Json<Value>> {
    audit(&api, &caller, &[run], async move |store| {
        let account = explain_loan(store.as_ref(), run, &loan).await?;
        ensure_known(account.is_unknown(), &account.verdict)?;
        let refused = |why: String| Problem::new(ProblemKind::Refused, format!("{loan}: {why}."));
        let story = &account.story;
        let (LoanOutcome::KickedOut(_), Some(input)) = (&story.outcome, &story.input) else {
            return Err(refused(NoAnswer::NotKickedOut.to_string()));
        };
        let found = explain::what_if(store.as_ref(), input, story.loan_id.as_str(), |_| {}).await?;
        story_of(&found.map_err(|why| refused(why.to_string()))?)
    })
    .await
}
