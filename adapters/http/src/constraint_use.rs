//! The use of each node of the constraint tree in the latest Complete run (specification 2.4).

use std::sync::Arc;

use axum::Json;
use powerfill_events::run::event::Node;
use powerfill_tables::status::RunStatus;
use powerfill_tables::track::NodeUse;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::{answer_object, text};
use crate::caller::Viewer;
use crate::problem::ApiResult;
use crate::track::track;

answer_object! {
    /// The use of a node. A node without an instrument has none, because it is not walked.
    ConstraintUse(used: &(Arc<Node>, NodeUse)) {
        investor_id: String = used.0.investor_id.to_string(),
        investor_instrument_name: String = used.0.investor_instrument_name.to_string(),
        constraint_name: String = used.0.constraint_name.to_string(),
        constraint_priority: i64 = used.0.constraint_priority,
        turn: u32 = used.1.turn,
        /// Loans that match it: eligible ones, and pinned ones whose trade is in the run.
        matched_loans: u64 = used.1.matched_loans,
        /// Loans that passes placed as candidates of this node, the first that they match.
        placed_loans: u64 = used.1.placed_loans,
        placed_amount: String = used.1.placed_amount.to_string(),
        /// The goal, a share of the open amount.
        lo_limit: Option<String> = text(used.1.lo_limit),
        /// The bound, a share of the open amount.
        hi_limit: Option<String> = text(used.1.hi_limit),
        /// The trades that the limit counts for; null without a limit.
        blocks: Option<u64> = used.1.limits.map(|limits| limits.blocks),
        /// The amount of the matching loans in these trades; null without a limit.
        used_amount: Option<String> = text(used.1.limits.map(|limits| limits.used_amount)),
        /// The sum of the goals.
        lo_amount: Option<String> = text(used.1.limits.and_then(|limits| limits.lo_amount)),
        /// The sum of the bounds.
        hi_amount: Option<String> = text(used.1.limits.and_then(|limits| limits.hi_amount)),
    }
}

/// The use of the constraint tree.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConstraintsUse {
    /// The latest Complete run; null if there is none.
    run_id: Option<Uuid>,
    /// In walk order.
    nodes: Vec<ConstraintUse>,
}

/// The use of each walkable node in the latest Complete run: the loans that it matched and placed,
/// and how much of its limits they use.
#[utoipa::path(get, operation_id = "constraints_use", path = "/api/powerfill/constraints/use",
    tag = "configuration", responses((status = 200, body = ConstraintsUse)))]
pub(crate) async fn show(Viewer { caller, api }: Viewer) -> ApiResult<Json<ConstraintsUse>> {
    let latest = caller.store().await?.latest_run(RunStatus::Complete).await?;
    let Some(run) = latest.map(|run| run.run_id) else {
        return Ok(Json(ConstraintsUse { run_id: None, nodes: Vec::new() }));
    };
    let track = track(&api, &caller, run).await?;
    let nodes = track.nodes.iter().map(ConstraintUse::from).collect();
    Ok(Json(ConstraintsUse { run_id: Some(run.0), nodes }))
}
