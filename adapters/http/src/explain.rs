//! The whole story of a loan or a trade in a run (specification 3.4).

use axum::Json;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use powerfill_app::account::{loan_account, trade_account};
use powerfill_app::{Read, RunnerError, read_story, recorded};
use powerfill_events::run::{RecordedEvent, RunId};
use powerfill_explain::{About, LoanStory, TradeStory};
use serde_json::Value;
use uuid::Uuid;

use crate::caller::Viewer;
use crate::extract::Path;
use crate::problem::{Answer, Kind, Problem, internal};
use crate::reports::aside;

/// Hands what is read of a run over, in order.
async fn hand_over(
    run: RunId,
    mut batches: BoxStream<'_, Result<Vec<Read>, RunnerError>>,
    mut each: impl FnMut(&RecordedEvent<'_>) + Send,
) -> Answer<()> {
    let mut told = false;
    while let Some(batch) = batches.try_next().await? {
        told = true;
        batch.iter().for_each(|read| each(&recorded(run, read)));
    }
    if told { Ok(()) } else { Err(Problem::no_run(run)) }
}

fn story(account: &impl serde::Serialize) -> Answer<Json<Value>> {
    serde_json::to_value(account).map(Json).map_err(|error| internal(&error))
}

/// The story of a loan: what it matched, each candidate, why each better one was not taken, where it went.
#[utoipa::path(get, path = "/api/powerfill/runs/{run_id}/loans/{loan_id}/explain", tag = "stories",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("loan_id" = String, Path, description = "The loan, as the snapshot spells it")),
    responses((status = 200, description = "The story", body = Object)))]
pub(crate) async fn loan(
    Viewer(caller): Viewer,
    Path((run, loan)): Path<(Uuid, String)>,
) -> Answer<Json<Value>> {
    let (run, store) = (RunId(run), caller.store().await?);
    aside(async move || {
        let mut told = LoanStory::new(&loan);
        let events = read_story(store.as_ref(), run, About::Loan(&loan)).await?;
        hand_over(run, events, |recorded| told.apply(recorded)).await?;
        let account = loan_account(store.as_ref(), told.finish()).await?;
        if account.is_unknown() {
            let detail = format!("Run {run} has no loan {loan}.");
            return Err(Problem::new(Kind::NotFound, detail));
        }
        story(&account)
    })
    .await
}

/// The story of a trade: who filled it, in which order, who was turned away.
#[utoipa::path(get, path = "/api/powerfill/runs/{run_id}/trades/{trade_id}/explain", tag = "stories",
    params(("run_id" = Uuid, Path, description = "The run"),
        ("trade_id" = String, Path, description = "The trade, as the snapshot spells it")),
    responses((status = 200, description = "The story", body = Object)))]
pub(crate) async fn trade(
    Viewer(caller): Viewer,
    Path((run, trade)): Path<(Uuid, String)>,
) -> Answer<Json<Value>> {
    let (run, store) = (RunId(run), caller.store().await?);
    aside(async move || {
        let mut told = TradeStory::new(&trade);
        let events = read_story(store.as_ref(), run, About::Trade(&trade)).await?;
        hand_over(run, events, |recorded| told.apply(recorded)).await?;
        let told = told.finish();
        if told.trade.is_none() {
            let detail = format!("Run {run} has no trade {trade}.");
            return Err(Problem::new(Kind::NotFound, detail));
        }
        story(&trade_account(store.as_ref(), told).await?)
    })
    .await
}
