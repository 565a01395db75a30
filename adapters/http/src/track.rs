//! A run step by step (specification 3.4): its timeline, and its state after any event. The service
//! keeps the tracks of runs that are over, bounded, so that a state costs no reading of the
//! run.

use std::sync::Arc;

use axum::Json;
use powerfill_app::track::read_track;
use powerfill_events::run::RunId;
use powerfill_tables::status::RunStatus;
use powerfill_tables::track::{PositionChange, RunTrack, TrackedTrade};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::answer::{answer_object, text};
use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::bounded_cache::{BoundedCache, CacheKey};
use crate::caller::{Caller, Viewer};
use crate::events::cloud_event;
use crate::extract::{Path, Query};
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::run_view::event_at;

/// The memory of all tracks, in bytes. One of a run of 100,000 loans takes about 25 MB.
const MAX_BYTES: u64 = 128 << 20;

/// The changes before and after the event of a state.
const NEIGHBORS: usize = 10;

/// The tracks of runs that are over.
pub(crate) struct TrackCache(BoundedCache<Arc<RunTrack>>);

impl TrackCache {
    pub(crate) fn new() -> Self {
        Self(BoundedCache::of_bytes(MAX_BYTES, None, |track| track.size()))
    }
}

/// The track of a run.
pub(crate) async fn track(api: &Api, caller: &Caller, run: RunId) -> ApiResult<Arc<RunTrack>> {
    let tenant = caller.tenant.id();
    let read = async || {
        let store = caller.store().await?;
        spawn_blocking(async move || Ok(Arc::new(read_track(store.as_ref(), run).await?))).await
    };
    let (cache, key) = (&api.tracks.0, CacheKey::of_run(tenant, run));
    api.report_cache.in_turn(tenant, cache, key, read, |track| track.is_over).await
}

answer_object! {
    /// A trade on a timeline.
    TimelineTrade(trade: &TrackedTrade) {
        trade_id: String = trade.assessed.trade_id.to_string(),
        investor_id: String = trade.assessed.investor_id.to_string(),
        investor_instrument_name: String = trade.assessed.investor_instrument_name.to_string(),
        settlement_date: Option<String> = text(trade.assessed.settlement_date),
        /// Null if it is in the run.
        exclusion_reason: Option<String> =
            trade.assessed.exclusion_reason.map(|reason| reason.as_str().to_owned()),
        open_amount: String = trade.assessed.open_amount.to_string(),
        min_amount: Option<String> = text(trade.assessed.band.map(|band| band.min_amount)),
        max_amount: Option<String> = text(trade.assessed.band.map(|band| band.max_amount)),
        /// The amount of locked and held loans.
        held_amount: Option<String> = text(trade.assessed.band.map(|band| band.held_amount)),
    }
}

/// Where a step, a turn, or a pass begins.
#[derive(Serialize, ToSchema)]
pub(crate) struct TimelineMark {
    /// The version of its first event.
    version: u64,
    /// The version of its last event; of a step and a turn, up to the next one.
    last_version: u64,
    /// `step`, `turn`, or `pass`.
    kind: &'static str,
    step: String,
    turn: Option<u32>,
    pass: Option<String>,
    /// Loans that the pass placed; null for other marks, and while the pass is not over.
    allocated: Option<u64>,
    /// Loans that the pass moved.
    moved: Option<u64>,
    /// Loans that the pass took out.
    released: Option<u64>,
}

/// The course of a run, without its events.
#[derive(Serialize, ToSchema)]
#[schema(as = Timeline)]
pub(crate) struct TimelineView {
    run_id: Uuid,
    /// The number of its events.
    last_version: u64,
    /// Whether it is over, so that no event follows.
    is_over: bool,
    /// By version; a step before its turns, a turn before its passes.
    marks: Vec<TimelineMark>,
    /// In the order of the events.
    trades: Vec<TimelineTrade>,
}

/// The course of a run: where its steps, turns, and passes begin, and the bands of its trades.
#[utoipa::path(get, operation_id = "timeline", tag = "runs",
    path = "/api/powerfill/runs/{run_id}/timeline",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = TimelineView)))]
pub(crate) async fn timeline(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Json<TimelineView>> {
    let last_version = caller.store().await?.stream_version(&run.stream()).await?;
    let track = track(&api, &caller, run).await?;
    let trades = track.trades.iter().map(TimelineTrade::from).collect();
    let marks = marks(&track, last_version);
    Ok(Json(TimelineView { run_id: run.0, last_version, is_over: track.is_over, marks, trades }))
}

fn marks(track: &RunTrack, last_version: u64) -> Vec<TimelineMark> {
    let mark = |kind, version, last_version, step: String| TimelineMark {
        version,
        last_version,
        kind,
        step,
        turn: None,
        pass: None,
        allocated: None,
        moved: None,
        released: None,
    };
    let mut marks = Vec::new();
    for (position, (step, first)) in track.steps.iter().enumerate() {
        let last = track.steps.get(position + 1).map_or(last_version, |(_, next)| next - 1);
        marks.push(mark("step", *first, last, step.as_str().to_owned()));
    }
    let mut turn = None;
    for pass in &track.passes {
        let step = || "allocation".to_owned();
        if turn != Some(pass.turn) {
            turn = Some(pass.turn);
            let same = track.passes.iter().rev().find(|other| other.turn == pass.turn);
            let last = same.map_or(pass.last_version, |same| same.last_version);
            let turn = mark("turn", pass.first_version, last, step());
            marks.push(TimelineMark { turn: pass.turn, ..turn });
        }
        let completed = pass.completed.as_ref();
        marks.push(TimelineMark {
            turn: pass.turn,
            pass: Some(pass.pass.as_str().to_owned()),
            allocated: completed.map(|completed| completed.allocated),
            moved: completed.map(|completed| completed.moved),
            released: completed.map(|completed| completed.released),
            ..mark("pass", pass.first_version, pass.last_version, step())
        });
    }
    // Marks of one version stay in the order of steps, turns, and passes.
    marks.sort_by_key(|mark| mark.version);
    marks
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StateQuery {
    /// The version of an event, from 1. Absent: the last event.
    #[param(minimum = 1)]
    version: Option<u64>,
    /// Only trades whose fill differs from that after this event, earlier or later.
    #[param(minimum = 1)]
    since: Option<u64>,
}

/// How full a trade is.
#[derive(Serialize, ToSchema)]
pub(crate) struct FilledTrade {
    trade_id: String,
    /// The amount of its loans, with held ones.
    filled_amount: String,
    loan_count: u64,
}

/// Loans and amounts after the event.
#[derive(Serialize, ToSchema)]
pub(crate) struct StateTotals {
    /// Loans that passes placed.
    placed: u64,
    placed_amount: String,
    /// Locked and held loans.
    pinned: u64,
    pinned_amount: String,
    kicked_out: u64,
    kicked_out_amount: String,
    /// Placements, moves, and releases so far.
    changes: u64,
    /// Trades in the run below their min.
    short_trades: u64,
}

/// A loan that came into a trade, left one, or was kicked out.
#[derive(Serialize, ToSchema)]
pub(crate) struct StateChange {
    /// The version of the event.
    version: u64,
    /// `pinned`, `allocated`, `moved`, `released`, or `kicked_out`.
    kind: &'static str,
    turn: Option<u32>,
    pass: Option<String>,
    loan_id: String,
    from_trade_id: Option<String>,
    to_trade_id: Option<String>,
    loan_amount: String,
}

/// A run after one of its events.
#[derive(Serialize, ToSchema)]
#[schema(as = RunState)]
pub(crate) struct RunStateView {
    run_id: Uuid,
    /// The version of the event.
    version: u64,
    /// The number of events of the run.
    last_version: u64,
    /// The event, as a CloudEvent.
    #[schema(value_type = Object)]
    event: Box<RawValue>,
    /// The status that the run had reached.
    status: String,
    step: Option<String>,
    turn: Option<u32>,
    pass: Option<String>,
    counts: StateTotals,
    /// The included trades, or those that changed since the version that was asked for.
    trades: Vec<FilledTrade>,
    /// The last changes up to the event, and the next ones after it, at most 10 each.
    changes: Vec<StateChange>,
}

/// A run after one of its events: how full the trades are, and which loans came and went around it.
///
/// The bands of the trades are on the timeline. `since` leaves out the trades that a client has
/// already.
#[utoipa::path(get, operation_id = "state", tag = "runs",
    path = "/api/powerfill/runs/{run_id}/state",
    params(("run_id" = Uuid, Path, description = "The run"), StateQuery),
    responses((status = 200, body = RunStateView)))]
pub(crate) async fn state(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    Query(query): Query<StateQuery>,
) -> ApiResult<Json<RunStateView>> {
    let store = caller.store().await?;
    let last_version = store.stream_version(&run.stream()).await?;
    let version = query.version.unwrap_or(last_version);
    for version in [Some(version), query.since].into_iter().flatten() {
        ensure_event(run, version, last_version)?;
    }
    let track = track(&api, &caller, run).await?;
    let event = event_at(store.as_ref(), run, version).await?;
    let (stored, event) = event.ok_or_else(|| Problem::no_run(run))?;
    let status = RunStatus::reached_with(&event);
    let event = RawValue::from_string(cloud_event(&stored)?).map_err(|error| internal(&error))?;
    let state = track.state_at(version);
    let before = query.since.map(|since| track.state_at(since));
    let mut short_trades = 0;
    let mut trades = Vec::new();
    for (position, (trade, fill)) in track.trades.iter().zip(&state.fills).enumerate() {
        let (Some(fill), Some(band)) = (fill, trade.assessed.band) else { continue };
        short_trades += u64::from(fill.filled_amount < band.min_amount);
        if before.as_ref().is_none_or(|before| before.fills[position] != Some(*fill)) {
            trades.push(FilledTrade {
                trade_id: trade.assessed.trade_id.to_string(),
                filled_amount: fill.filled_amount.to_string(),
                loan_count: fill.loan_count,
            });
        }
    }
    let at = track.changes_until(version);
    let around = at.saturating_sub(NEIGHBORS)..(at + NEIGHBORS).min(track.changes.len());
    let changes = track.changes[around].iter().map(|change| change_view(&track, change));
    let pass = track.pass_at(version);
    Ok(Json(RunStateView {
        run_id: run.0,
        version,
        last_version,
        event,
        status: status.name().to_owned(),
        step: track.step_at(version).map(|step| step.as_str().to_owned()),
        turn: pass.and_then(|pass| pass.turn),
        pass: pass.map(|pass| pass.pass.as_str().to_owned()),
        counts: StateTotals {
            placed: state.placed,
            placed_amount: state.placed_amount.to_string(),
            pinned: state.pinned,
            pinned_amount: state.pinned_amount.to_string(),
            kicked_out: state.kicked_out,
            kicked_out_amount: state.kicked_out_amount.to_string(),
            changes: state.changes,
            short_trades,
        },
        trades,
        changes: changes.collect(),
    }))
}

/// Refuses a version that the run does not have.
fn ensure_event(run: RunId, version: u64, last_version: u64) -> ApiResult<()> {
    if last_version == 0 {
        return Err(Problem::no_run(run));
    }
    if (1..=last_version).contains(&version) {
        return Ok(());
    }
    let detail =
        format!("Run {run} has no event {version}; it has the events 1 to {last_version}.");
    Err(Problem::new(ProblemKind::NotFound, detail))
}

fn change_view(track: &RunTrack, change: &PositionChange) -> StateChange {
    let id = |trade: u32| track.trades[trade as usize].assessed.trade_id.to_string();
    let pass = change.kind.pass();
    StateChange {
        version: change.version,
        kind: change.kind.name(),
        turn: pass.and_then(|_| track.pass_at(change.version)?.turn),
        pass: pass.map(|pass| pass.as_str().to_owned()),
        loan_id: track.loans[change.loan as usize].to_string(),
        from_trade_id: change.from.map(id),
        to_trade_id: change.to.map(id),
        loan_amount: change.amount.to_string(),
    }
}
