//! Additions to the constraint tree, and its order.

use axum::http::StatusCode;
use axum::response::Response;
use powerfill_snapshot::config::{ConfigChange, ConfigTable, ConstraintRow, Precondition, RowKey};
use serde::Deserialize;
use utoipa::ToSchema;

use super::given::GivenCells;
use super::view::{list_answer, row_answer};
use super::{ChangeReason, change, write_rows};
use crate::caller::Admin;
use crate::extract::{Body, Query};
use crate::position::Position;
use crate::problem::ApiResult;
use crate::schema::ConstraintAdded;

const TABLE: ConfigTable = ConfigTable::Constraints;

/// Adds a node.
#[utoipa::path(post, security(("token" = ["admin"])), operation_id = "add_constraint",
    path = "/api/powerfill/constraints", tag = "configuration", params(ChangeReason),
    request_body = ConstraintAdded,
    responses((status = 201, body = ref("#/components/schemas/Constraint")), (status = 409)))]
pub(crate) async fn add(
    Admin { caller, api }: Admin,
    Query(reason): Query<ChangeReason>,
    Body(GivenCells { row, .. }): Body<GivenCells<ConstraintRow, 0>>,
) -> ApiResult<Response> {
    let key = RowKey::of(TABLE, row.iter().map(|(_, text)| text.as_str()));
    let addition = write_rows(TABLE, vec![row], Precondition::Absent);
    let state = change(&caller, &api, addition, reason).await?;
    row_answer(&state, TABLE, &key, StatusCode::CREATED)
}

/// A node and its new priority.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Placed)]
pub(crate) struct PrioritizedNode {
    #[schema(min_length = 1)]
    investor_id: String,
    #[serde(default)]
    investor_instrument_name: String,
    #[serde(default)]
    constraint_name: String,
    #[schema(minimum = 0)]
    constraint_priority: i64,
}

/// A whole order of the tree.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Order)]
pub(crate) struct TreeOrder {
    /// The token of the constraints that the order is based on.
    #[schema(value_type = u64)]
    token: Position,
    /// Every node once. Nodes with the same priority form one turn.
    order: Vec<PrioritizedNode>,
}

/// Gives every node its priority, all at once; 412 if the tree has changed since the token.
#[utoipa::path(post, security(("token" = ["admin"])), operation_id = "reprioritize_constraints",
    path = "/api/powerfill/constraints/reprioritize", tag = "configuration", params(ChangeReason),
    request_body = TreeOrder,
    responses((status = 200, body = ref("#/components/schemas/Listed_Constraint")),
        (status = 409), (status = 412)))]
pub(crate) async fn reprioritize(
    Admin { caller, api }: Admin,
    Query(reason): Query<ChangeReason>,
    Body(tree): Body<TreeOrder>,
) -> ApiResult<Response> {
    let row = |node: PrioritizedNode| {
        [
            ("investor_id", node.investor_id),
            ("investor_instrument_name", node.investor_instrument_name),
            ("constraint_name", node.constraint_name),
            ("constraint_priority", node.constraint_priority.to_string()),
        ]
        .map(|(column, text)| (column.to_owned(), text))
        .into()
    };
    let order = tree.order.into_iter().map(row).collect();
    let change_of_order = ConfigChange::Reprioritise { order, token: Some(tree.token.0) };
    Ok(list_answer(&change(&caller, &api, change_of_order, reason).await?, TABLE))
}
