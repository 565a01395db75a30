//! Securitization rules: conditions over the columns of `loan` (specification 1.4).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use powerfill_snapshot::config::{
    ConfigChange, ConfigState, ConfigTable, Held, Precondition, RowKey, RuleRow,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Listed, Why, answer, cells, change, current, listed, not_there, precondition, written,
};
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::extract::{Body, Path, Query};
use crate::problem::Answer;

/// A securitization rule.
#[derive(Serialize, ToSchema)]
#[schema(as = SecRule, example = json!({
    "rule_name": "HIGH FICO", "rule_syntax": "fico >= 740 AND state <> 'NY'",
    "constraints": ["FNMA|FN30 5.5|"], "token": 3
}))]
pub(crate) struct RuleView {
    rule_name: String,
    /// A condition over the columns of `loan`, as typed.
    rule_syntax: String,
    /// The nodes that it is linked to, the parts of their keys joined by a vertical bar.
    constraints: Vec<String>,
    /// The version at which the rule last changed; its ETag.
    token: u64,
}

/// What a rule says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecRuleGiven, example = json!({ "rule_syntax": "fico >= 740 AND state <> 'NY'" }))]
pub(crate) struct RuleBody {
    #[schema(min_length = 1)]
    rule_syntax: String,
}

const TABLE: ConfigTable = ConfigTable::Rules;

fn key(name: &str) -> RowKey {
    RowKey::of(TABLE, [name])
}

fn view(state: &ConfigState, key: &RowKey, held: &Held<RuleRow>) -> RuleView {
    RuleView {
        rule_name: held.row.rule_name.to_string(),
        rule_syntax: held.row.rule_syntax.clone(),
        constraints: state.nodes_of(key).map(|node| node.to_string()).collect(),
        token: held.token,
    }
}

fn one(state: &ConfigState, key: &RowKey) -> Answer<(RuleView, u64)> {
    let held = state.rules().get(key).ok_or_else(|| not_there(TABLE, key))?;
    Ok((view(state, key, held), held.token))
}

/// The securitization rules.
#[utoipa::path(get, operation_id = "list_sec_rules", path = "/api/powerfill/sec-rules", tag = "configuration",
    responses((status = 200, body = Listed<RuleView>)))]
pub(crate) async fn list(Viewer(caller): Viewer) -> Answer<Response> {
    let state = current(&caller).await?;
    let rows = state.rules().iter().map(|(key, held)| view(&state, key, held)).collect();
    Ok(listed(&state, TABLE, rows))
}

/// A rule.
#[utoipa::path(get, operation_id = "show_sec_rule",
    path = "/api/powerfill/sec-rules/{rule_name}", tag = "configuration",
    params(("rule_name" = String, Path)), responses((status = 200, body = RuleView)))]
pub(crate) async fn show(Viewer(caller): Viewer, Path(name): Path<String>) -> Answer<Response> {
    Ok(answer(true, one(&current(&caller).await?, &key(&name))?))
}

/// Defines a rule, or has it say something else. One that does not parse is a 422 that names the
/// place.
#[utoipa::path(put, security(("token" = ["admin"])), operation_id = "put_sec_rule",
    path = "/api/powerfill/sec-rules/{rule_name}", tag = "configuration",
    params(("rule_name" = String, Path), ("If-Match" = Option<String>, Header), Why),
    request_body = RuleBody,
    responses((status = 200, body = RuleView, description = "It was there before"),
        (status = 201, body = RuleView, description = "It is new"), (status = 412)))]
pub(crate) async fn put(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(why): Query<Why>,
    headers: HeaderMap,
    Body(body): Body<RuleBody>,
) -> Answer<Response> {
    let key = key(&name);
    let before = current(&caller).await?.rules().contains_key(&key);
    let row = cells([("rule_name", Some(name)), ("rule_syntax", Some(body.rule_syntax))]);
    let what = written(TABLE, row, precondition(&headers, Precondition::Any)?);
    Ok(answer(before, one(&change(&caller, &api, what, why).await?, &key)?))
}

/// Removes a rule; 409 while it is linked to a node.
#[utoipa::path(delete, security(("token" = ["admin"])), operation_id = "remove_sec_rule",
    path = "/api/powerfill/sec-rules/{rule_name}", tag = "configuration",
    params(("rule_name" = String, Path), ("If-Match" = Option<String>, Header), Why),
    responses((status = 204, description = "It is gone"), (status = 409), (status = 412)))]
pub(crate) async fn remove(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let what = ConfigChange::Remove { table: TABLE, key: key(&name), precondition };
    change(&caller, &api, what, why).await?;
    Ok(StatusCode::NO_CONTENT)
}
