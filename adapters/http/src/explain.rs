//! The whole story of a loan or a trade in a run (specification 3.4).

use axum::Json;
use powerfill_app::explain::{explain_loan, explain_trade};
use powerfill_events::run::RunId;
use serde_json::Value;
use uuid::Uuid;

use crate::blocking::spawn_blocking;
use crate::caller::Viewer;
use crate::extract::Path;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};

fn story(account: &impl serde::Serialize) -> ApiResult<Json<Value>> {
    serde_json::to_value(account).map(Json).map_err(|error| internal(&error))
}

/// The story of a loan: its matches, its candidates, why it did not get each better one, and its
/// result.
#[utoipa::path(get, operation_id = "loan", tag = "stories",
    path = "/api/powerfill/runs/{run_id}/loans/{loan_id}/explain",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("loan_id" = String, Path, description = "The loan, as the snapshot spells it")),
    responses((status = 200, description = "The story", body = Object)))]
pub(crate) async fn explain_loan_in_run(
    Viewer(caller): Viewer,
    Path((run, loan)): Path<(Uuid, String)>,
) -> ApiResult<Json<Value>> {
    let (run, store) = (RunId(run), caller.store().await?);
    spawn_blocking(async move || {
        let account = explain_loan(store.as_ref(), run, &loan).await?;
        if account.is_unknown() {
            let detail = format!("Run {run} has no loan {loan}.");
            return Err(Problem::new(ProblemKind::NotFound, detail));
        }
        story(&account)
    })
    .await
}

/// The story of a trade: the loans that filled it, in order, and those that it rejected.
#[utoipa::path(get, operation_id = "trade", tag = "stories",
    path = "/api/powerfill/runs/{run_id}/trades/{trade_id}/explain",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("trade_id" = String, Path, description = "The trade, as the snapshot spells it")),
    responses((status = 200, description = "The story", body = Object)))]
pub(crate) async fn explain_trade_in_run(
    Viewer(caller): Viewer,
    Path((run, trade)): Path<(Uuid, String)>,
) -> ApiResult<Json<Value>> {
    let (run, store) = (RunId(run), caller.store().await?);
    spawn_blocking(async move || {
        let account = explain_trade(store.as_ref(), run, &trade).await?;
        if account.story.trade.is_none() {
            let detail = format!("Run {run} has no trade {trade}.");
            return Err(Problem::new(ProblemKind::NotFound, detail));
        }
        story(&account)
    })
    .await
}
