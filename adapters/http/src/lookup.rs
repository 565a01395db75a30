//! Loans and trades of a run: found by their first characters, and followed from event to event.

use axum::Json;
use powerfill_app::track::{LoanOrTrade, versions_of};
use powerfill_events::run::RunId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::blocking::spawn_blocking;
use crate::caller::Viewer;
use crate::extract::{Path, Query};
use crate::position::page_size;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::track::track;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StepsQuery {
    /// A loan, in any spelling. Give this or `trade_id`.
    loan_id: Option<String>,
    /// A trade, in any spelling.
    trade_id: Option<String>,
    /// Only events after this version.
    #[serde(default)]
    #[param(default = 0)]
    after: u64,
    /// The most versions, 1 to 100000. Absent: 10000.
    #[param(minimum = 1, maximum = 100000)]
    limit: Option<usize>,
}

/// The events of a loan or a trade.
#[derive(Serialize, ToSchema)]
pub(crate) struct Steps {
    /// Ascending.
    versions: Vec<u64>,
    /// The number of all its events.
    count: usize,
    /// The last event at or before `after`, for a step back.
    previous: Option<u64>,
}

/// The versions of the events that name a loan or a trade: the steps of a reader who follows it
/// through the run.
#[utoipa::path(get, operation_id = "steps", tag = "runs",
    path = "/api/powerfill/runs/{run_id}/steps",
    params(("run_id" = Uuid, Path, description = "The run"), StepsQuery),
    responses((status = 200, body = Steps)))]
pub(crate) async fn steps(
    Viewer { caller, .. }: Viewer,
    Path(run): Path<RunId>,
    Query(query): Query<StepsQuery>,
) -> ApiResult<Json<Steps>> {
    let limit = page_size(query.limit, 10_000, 100_000)?;
    let store = caller.store().await?;
    if store.stream_version(&run.stream()).await? == 0 {
        return Err(Problem::no_run(run));
    }
    let all = spawn_blocking(async move || {
        let subject = match (&query.loan_id, &query.trade_id) {
            (Some(loan), None) => LoanOrTrade::Loan(loan),
            (None, Some(trade)) => LoanOrTrade::Trade(trade),
            _ => return Err(Problem::bad("Give loan_id or trade_id, and not both.")),
        };
        let versions = versions_of(store.as_ref(), run, subject).await?;
        if versions.is_empty() {
            let (what, id) = match subject {
                LoanOrTrade::Loan(id) => ("loan", id),
                LoanOrTrade::Trade(id) => ("trade", id),
            };
            let detail = format!("Run {run} has no event of a {what} {id}.");
            return Err(Problem::new(ProblemKind::NotFound, detail));
        }
        Ok(versions)
    })
    .await?;
    let next = all.partition_point(|version| *version <= query.after);
    Ok(Json(Steps {
        versions: all[next..].iter().take(limit).copied().collect(),
        count: all.len(),
        previous: next.checked_sub(1).map(|previous| all[previous]),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// The first characters of an id; case is ignored. Absent: any id.
    #[serde(default)]
    #[param(required = false)]
    q: String,
    /// The most loans, and the most trades, 1 to 500. Absent: 20.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// A loan that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundLoan {
    loan_id: String,
}

/// A trade that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundTrade {
    trade_id: String,
}

/// Loans and trades of a run by their first characters, each ordered by id.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResult {
    loans: Vec<FoundLoan>,
    trades: Vec<FoundTrade>,
    /// Whether there are more than `limit` of either.
    more: bool,
}

/// Loans and trades of a run whose ids begin with a text. Loans that take no part in the run are
/// not found.
#[utoipa::path(get, operation_id = "search", tag = "runs",
    path = "/api/powerfill/runs/{run_id}/search",
    params(("run_id" = Uuid, Path, description = "The run"), SearchQuery),
    responses((status = 200, body = SearchResult)))]
pub(crate) async fn search(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    Query(query): Query<SearchQuery>,
) -> ApiResult<Json<SearchResult>> {
    let limit = page_size(query.limit, 20, 500)?;
    let track = track(&api, &caller, run).await?;
    let loans = track.loans.iter().map(|loan_id| loan_id.as_str());
    let (loans, more_loans) = beginning_with(&query.q, loans, limit);
    let trades = track.trades.iter().map(|trade| trade.assessed.trade_id.as_str());
    let (trades, more_trades) = beginning_with(&query.q, trades, limit);
    Ok(Json(SearchResult {
        loans: loans.into_iter().map(|loan_id| FoundLoan { loan_id }).collect(),
        trades: trades.into_iter().map(|trade_id| FoundTrade { trade_id }).collect(),
        more: more_loans || more_trades,
    }))
}

/// The first ids that begin with a text, and whether there are more.
fn beginning_with<'i>(
    text: &str,
    ids: impl Iterator<Item = &'i str>,
    limit: usize,
) -> (Vec<String>, bool) {
    let begins = |id: &&str| {
        id.get(..text.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(text))
    };
    let mut found: Vec<&str> = ids.filter(begins).collect();
    found.sort_unstable();
    let more = found.len() > limit;
    found.truncate(limit);
    (found.into_iter().map(str::to_owned).collect(), more)
}
