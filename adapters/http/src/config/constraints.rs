//! The constraint tree: its nodes, the rules that are linked to them, their order.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use powerfill_snapshot::config::{
    ConfigChange, ConfigState, ConfigTable, ConstraintRow, GivenRow, Held, Precondition, RowKey,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Listed, Why, answer, cells, change, current, given, listed, not_there, part, precondition,
    written,
};
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::events::Position;
use crate::extract::{Body, Path, Query};
use crate::problem::Answer;

/// A node of the constraint tree.
#[derive(Serialize, ToSchema)]
#[schema(as = Constraint, example = json!({
    "investor_id": "FNMA", "investor_instrument_name": "FN30 5.5", "constraint_name": "",
    "constraint_priority": 10, "lo_limit": null, "hi_limit": "0.250000", "rules": ["HIGH FICO"], "token": 4
}))]
pub(crate) struct ConstraintView {
    investor_id: String,
    /// Empty at the investor level.
    investor_instrument_name: String,
    /// Empty at the investor and the instrument level.
    constraint_name: String,
    /// Lower first.
    constraint_priority: i64,
    /// Share of the open amount, reported.
    lo_limit: Option<String>,
    /// Share of the open amount, a bound.
    hi_limit: Option<String>,
    /// The rules that are linked to it.
    rules: Vec<String>,
    /// The version at which the node last changed; its ETag.
    token: u64,
}

/// What a node is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConstraintGiven)]
pub(crate) struct ConstraintBody {
    /// Lower first.
    #[schema(minimum = 0)]
    constraint_priority: i64,
    #[schema(pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)?$")]
    lo_limit: Option<String>,
    #[schema(pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)?$")]
    hi_limit: Option<String>,
}

/// A node that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConstraintAdded)]
pub(crate) struct NewConstraint {
    #[schema(min_length = 1)]
    investor_id: String,
    /// Empty, or left out, at the investor level.
    #[serde(default)]
    investor_instrument_name: String,
    /// Empty, or left out, at the investor and the instrument level.
    #[serde(default)]
    constraint_name: String,
    /// Lower first.
    #[schema(minimum = 0)]
    constraint_priority: i64,
    #[schema(pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)?$")]
    lo_limit: Option<String>,
    #[schema(pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)?$")]
    hi_limit: Option<String>,
}

/// The parts of a node's path.
type Node = (String, String, String);

const TABLE: ConfigTable = ConfigTable::Constraints;

fn key((investor, instrument, name): &Node) -> RowKey {
    RowKey::of(TABLE, [part(investor), part(instrument), part(name)])
}

fn row((investor, instrument, name): &Node, body: ConstraintBody) -> GivenRow {
    cells([
        ("investor_id", Some(part(investor).to_owned())),
        ("investor_instrument_name", Some(part(instrument).to_owned())),
        ("constraint_name", Some(part(name).to_owned())),
        ("constraint_priority", given(Some(body.constraint_priority))),
        ("lo_limit", body.lo_limit),
        ("hi_limit", body.hi_limit),
    ])
}

fn view(state: &ConfigState, key: &RowKey, held: &Held<ConstraintRow>) -> ConstraintView {
    let row = &held.row;
    ConstraintView {
        investor_id: row.investor_id.to_string(),
        investor_instrument_name: row.investor_instrument_name.to_string(),
        constraint_name: row.constraint_name.to_string(),
        constraint_priority: row.constraint_priority,
        lo_limit: given(row.lo_limit),
        hi_limit: given(row.hi_limit),
        rules: state.rules_of(key).map(|link| link.rule_name.to_string()).collect(),
        token: held.token,
    }
}

fn one(state: &ConfigState, key: &RowKey) -> Answer<(ConstraintView, u64)> {
    let held = state.constraints().get(key).ok_or_else(|| not_there(TABLE, key))?;
    Ok((view(state, key, held), held.token))
}

fn all(state: &ConfigState) -> Response {
    let rows = state.constraints().iter().map(|(key, held)| view(state, key, held));
    listed(state, TABLE, rows.collect())
}

/// The constraint tree, whole. Its `token`, the ETag, is what a new order is made from.
#[utoipa::path(get, operation_id = "list_constraints",
    path = "/api/powerfill/constraints", tag = "configuration",
    responses((status = 200, body = Listed<ConstraintView>)))]
pub(crate) async fn list(Viewer(caller): Viewer) -> Answer<Response> {
    Ok(all(&current(&caller).await?))
}

/// Adds a node.
#[utoipa::path(post, security(("token" = ["admin"])), operation_id = "add_constraint",
    path = "/api/powerfill/constraints", tag = "configuration", params(Why),
    request_body = NewConstraint, responses((status = 201, body = ConstraintView), (status = 409)))]
pub(crate) async fn add(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Query(why): Query<Why>,
    Body(new): Body<NewConstraint>,
) -> Answer<Response> {
    let node = (new.investor_id, new.investor_instrument_name, new.constraint_name);
    let (constraint_priority, lo_limit, hi_limit) =
        (new.constraint_priority, new.lo_limit, new.hi_limit);
    let body = ConstraintBody { constraint_priority, lo_limit, hi_limit };
    let (key, row) = (key(&node), row(&node, body));
    let state = change(&caller, &api, written(TABLE, row, Precondition::Absent), why).await?;
    Ok(answer(false, one(&state, &key)?))
}

/// A node. `-` stands for an empty part.
#[utoipa::path(get, operation_id = "show_constraint",
    path = "/api/powerfill/constraints/{investor_id}/{instrument}/{name}", tag = "configuration",
    params(("investor_id" = String, Path), ("instrument" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = ConstraintView)))]
pub(crate) async fn show(Viewer(caller): Viewer, Path(node): Path<Node>) -> Answer<Response> {
    Ok(answer(true, one(&current(&caller).await?, &key(&node))?))
}

/// Changes a node: it is given whole. With `If-Match` only where it is as it was.
#[utoipa::path(put, security(("token" = ["admin"])), operation_id = "put_constraint",
    path = "/api/powerfill/constraints/{investor_id}/{instrument}/{name}", tag = "configuration",
    params(("investor_id" = String, Path), ("instrument" = String, Path), ("name" = String, Path),
        ("If-Match" = Option<String>, Header), Why),
    request_body = ConstraintBody, responses((status = 200, body = ConstraintView), (status = 412)))]
pub(crate) async fn put(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(node): Path<Node>,
    Query(why): Query<Why>,
    headers: HeaderMap,
    Body(body): Body<ConstraintBody>,
) -> Answer<Response> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let what = written(TABLE, row(&node, body), precondition);
    let state = change(&caller, &api, what, why).await?;
    Ok(answer(true, one(&state, &key(&node))?))
}

/// Removes a node; 409 while rules are linked to it.
#[utoipa::path(delete, security(("token" = ["admin"])), operation_id = "remove_constraint",
    path = "/api/powerfill/constraints/{investor_id}/{instrument}/{name}", tag = "configuration",
    params(("investor_id" = String, Path), ("instrument" = String, Path), ("name" = String, Path),
        ("If-Match" = Option<String>, Header), Why),
    responses((status = 204, description = "It is gone"), (status = 409), (status = 412)))]
pub(crate) async fn remove(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(node): Path<Node>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let what = ConfigChange::Remove { table: TABLE, key: key(&node), precondition };
    change(&caller, &api, what, why).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A node and the priority that it gets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Placed {
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
pub(crate) struct Order {
    /// The token of the constraints that the order was made from.
    #[schema(value_type = u64)]
    token: Position,
    /// Every node once. Nodes of the same priority form one turn.
    order: Vec<Placed>,
}

/// Gives every node its priority, all at once; 412 where the tree has changed since the order was
/// made.
#[utoipa::path(post, security(("token" = ["admin"])), operation_id = "reprioritize_constraints",
    path = "/api/powerfill/constraints/reprioritize", tag = "configuration", params(Why),
    request_body = Order,
    responses((status = 200, body = Listed<ConstraintView>), (status = 412)))]
pub(crate) async fn reprioritize(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Query(why): Query<Why>,
    Body(asked): Body<Order>,
) -> Answer<Response> {
    let placed = |node: Placed| {
        cells([
            ("investor_id", Some(node.investor_id)),
            ("investor_instrument_name", Some(node.investor_instrument_name)),
            ("constraint_name", Some(node.constraint_name)),
            ("constraint_priority", given(Some(node.constraint_priority))),
        ])
    };
    let order = asked.order.into_iter().map(placed).collect();
    let what = ConfigChange::Reprioritise { order, token: Some(asked.token.0) };
    Ok(all(&change(&caller, &api, what, why).await?))
}

/// A rule that is linked to a node.
#[derive(Serialize, ToSchema)]
#[schema(as = RuleLink)]
pub(crate) struct LinkView {
    investor_id: String,
    investor_instrument_name: String,
    constraint_name: String,
    rule_name: String,
    /// The version at which it was linked; its ETag.
    token: u64,
}

/// The parts of a link's path.
type Link = (String, String, String, String);

fn link_key((investor, instrument, name, rule): &Link) -> RowKey {
    RowKey::of(ConfigTable::Links, [part(investor), part(instrument), part(name), rule])
}

fn link(state: &ConfigState, key: &RowKey) -> Answer<(LinkView, u64)> {
    let held = state.links().get(key).ok_or_else(|| not_there(ConfigTable::Links, key))?;
    let view = LinkView {
        investor_id: held.row.investor_id.to_string(),
        investor_instrument_name: held.row.investor_instrument_name.to_string(),
        constraint_name: held.row.constraint_name.to_string(),
        rule_name: held.row.rule_name.to_string(),
        token: held.token,
    };
    Ok((view, held.token))
}

/// Whether a rule is linked to a node.
#[utoipa::path(get, operation_id = "show_rule_link",
    path = "/api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    tag = "configuration",
    params(("investor_id" = String, Path), ("instrument" = String, Path), ("name" = String, Path),
        ("rule_name" = String, Path)),
    responses((status = 200, body = LinkView)))]
pub(crate) async fn show_link(Viewer(caller): Viewer, Path(path): Path<Link>) -> Answer<Response> {
    Ok(answer(true, link(&current(&caller).await?, &link_key(&path))?))
}

/// Links a rule to a node, without a body.
#[utoipa::path(put, security(("token" = ["admin"])), operation_id = "put_rule_link",
    path = "/api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    tag = "configuration",
    params(("investor_id" = String, Path), ("instrument" = String, Path), ("name" = String, Path),
        ("rule_name" = String, Path), Why),
    responses((status = 200, body = LinkView, description = "It was linked before"),
        (status = 201, body = LinkView, description = "It is linked now"), (status = 422)))]
pub(crate) async fn put_link(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(path): Path<Link>,
    Query(why): Query<Why>,
) -> Answer<Response> {
    let key = link_key(&path);
    let state = current(&caller).await?;
    let node = RowKey::of(TABLE, [part(&path.0), part(&path.1), part(&path.2)]);
    let rule = RowKey::of(ConfigTable::Rules, [path.3.as_str()]);
    if !state.constraints().contains_key(&node) {
        return Err(not_there(TABLE, &node));
    }
    if !state.rules().contains_key(&rule) {
        return Err(not_there(ConfigTable::Rules, &rule));
    }
    let before = state.links().contains_key(&key);
    let row = cells([
        ("investor_id", Some(part(&path.0).to_owned())),
        ("investor_instrument_name", Some(part(&path.1).to_owned())),
        ("constraint_name", Some(part(&path.2).to_owned())),
        ("rule_name", Some(path.3.clone())),
    ]);
    let what = written(ConfigTable::Links, row, Precondition::Any);
    let state = change(&caller, &api, what, why).await?;
    Ok(answer(before, link(&state, &key)?))
}

/// Takes a rule from a node; the rule stays.
#[utoipa::path(delete, security(("token" = ["admin"])), operation_id = "remove_rule_link",
    path = "/api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    tag = "configuration",
    params(("investor_id" = String, Path), ("instrument" = String, Path), ("name" = String, Path),
        ("rule_name" = String, Path), ("If-Match" = Option<String>, Header), Why),
    responses((status = 204, description = "It is unlinked"), (status = 412)))]
pub(crate) async fn remove_link(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(path): Path<Link>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let what =
        ConfigChange::Remove { table: ConfigTable::Links, key: link_key(&path), precondition };
    change(&caller, &api, what, why).await?;
    Ok(StatusCode::NO_CONTENT)
}
