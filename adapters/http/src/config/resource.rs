//! The tables of the configuration as resources. All of them have the same four operations; what
//! differs is declared per table, and the columns come from the table's own declaration.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use powerfill_snapshot::config::{
    CarryBucketRow, ConfigChange, ConfigRow, ConfigTable, ConstraintRow, PoolLockRow, Precondition,
    PreflightRow, RowKey, RuleLinkRow, RuleRow,
};

use super::given::{GivenCells, KeyPath};
use super::view::{list_answer, missing_row, row_answer};
use super::{ChangeReason, change, current, precondition, write_rows};
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::extract::{Body, Path, Query};
use crate::problem::ApiResult;

/// What HTTP and its document say about a table. A summary is absent if there is no such operation.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) table: ConfigTable,
    /// The path of a row. The parts in braces are the columns of the key.
    pub(crate) path: &'static str,
    /// The name of the schema of a row, and that of an answer with one row.
    pub(crate) schema: (&'static str, &'static str),
    pub(crate) example: Option<&'static str>,
    /// The name of a row, and of all rows, in the ids of the operations.
    pub(crate) names: (&'static str, &'static str),
    pub(crate) list: Option<&'static str>,
    pub(crate) show: &'static str,
    pub(crate) put: &'static str,
    pub(crate) remove: Option<&'static str>,
}

impl Resource {
    /// The path of the list.
    pub(crate) fn list_path(&self) -> &'static str {
        self.path.split_once("/{").map_or(self.path, |(path, _)| path)
    }

    /// Whether a `PUT` can add a row. A node is added by a `POST`; the settings always exist.
    pub(crate) const fn has_new_rows(&self) -> bool {
        !matches!(self.table, ConfigTable::Constraints | ConfigTable::Preflight)
    }

    /// Whether a row has columns beyond its key, so that a `PUT` has a body.
    pub(crate) const fn has_body(&self) -> bool {
        let schema = self.table.schema();
        schema.columns.len() > schema.key.len()
    }
}

const CONSTRAINTS: Resource = Resource {
    table: ConfigTable::Constraints,
    path: "/api/powerfill/constraints/{investor_id}/{instrument}/{name}",
    schema: ("Constraint", "Constraint"),
    example: Some(
        r#"{"investor_id": "FNMA", "investor_instrument_name": "FN30 5.5",
            "constraint_name": "", "constraint_priority": 10, "lo_limit": null,
            "hi_limit": "0.250000", "rules": ["HIGH FICO"], "token": 4}"#,
    ),
    names: ("constraint", "constraints"),
    list: Some("The whole constraint tree. A new order is based on its `token`, the ETag."),
    show: "A node. `-` stands for an empty part.",
    put: "Replaces all values of a node. With `If-Match`, only if it has this ETag.",
    remove: Some("Removes a node; 409 while rules are linked to it."),
};

const RULE_LINKS: Resource = Resource {
    table: ConfigTable::Links,
    path: "/api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    schema: ("RuleLink", "RuleLink"),
    example: None,
    names: ("rule_link", "rule_links"),
    list: None,
    show: "Whether a rule is linked to a node.",
    put: "Links a rule to a node. There is no body.",
    remove: Some("Unlinks a rule from a node. The rule remains."),
};

const RULES: Resource = Resource {
    table: ConfigTable::Rules,
    path: "/api/powerfill/sec-rules/{rule_name}",
    schema: ("SecRule", "SecRule"),
    example: Some(
        r#"{"rule_name": "HIGH FICO", "rule_syntax": "fico >= 740 AND state <> 'NY'",
            "constraints": ["FNMA|FN30 5.5|"], "token": 3}"#,
    ),
    names: ("sec_rule", "sec_rules"),
    list: Some("The securitization rules."),
    show: "A rule.",
    put: "Defines or changes a rule. If it does not parse, a 422 names the position.",
    remove: Some("Removes a rule; 409 while it is linked to a node."),
};

const CARRY: Resource = Resource {
    table: ConfigTable::Carry,
    path: "/api/powerfill/carry-cost/{instrument}/{on_day}",
    schema: ("CarryBucket", "CarryBucketSet"),
    example: Some(
        r#"{"investor_instrument_name": "FN30 5.5", "on_day": 0, "to_day": 14,
            "annual_rate": "1.250000", "token": 7}"#,
    ),
    names: ("carry_bucket", "carry_costs"),
    list: Some("The carry curves."),
    show: "A bucket, with the warnings about its curve.",
    put: "Sets a bucket. An overlap, or a curve that is not monotone, is a warning.",
    remove: Some("Removes a bucket."),
};

const LOCKDOWN: Resource = Resource {
    table: ConfigTable::Lockdown,
    path: "/api/powerfill/lockdown/{pool_name}",
    schema: ("PoolLock", "PoolLock"),
    example: Some(
        r#"{"pool_name": "FN123456", "investor_instrument_name": "FN30 5.5",
            "trade_id": "T0000012", "lock_pool": true, "token": 9}"#,
    ),
    names: ("pool_lock", "pool_locks"),
    list: Some("The lockdown guide."),
    show: "A pool of the lockdown guide.",
    put: "Locks a pool, or opens it.",
    remove: Some("Removes a pool from the guide. It is then locked only if it is closed."),
};

const PREFLIGHT: Resource = Resource {
    table: ConfigTable::Preflight,
    path: "/api/powerfill/settings/preflight",
    schema: ("PreflightSettings", "PreflightSettings"),
    example: None,
    names: ("preflight_settings", "preflight_settings"),
    list: None,
    show: "The settings of preflight.",
    put: "Replaces the settings of preflight. An absent setting has its default.",
    remove: None,
};

/// Every table of the configuration.
pub(crate) const RESOURCES: [&Resource; 6] =
    [&CONSTRAINTS, &RULE_LINKS, &RULES, &CARRY, &LOCKDOWN, &PREFLIGHT];

/// Adds the operations of every table.
pub(crate) fn add_routes(router: Router<Arc<Api>>) -> Router<Arc<Api>> {
    let router = add_rows::<ConstraintRow, 3>(router, &CONSTRAINTS);
    let router = add_rows::<RuleRow, 1>(router, &RULES);
    let router = add_rows::<CarryBucketRow, 2>(router, &CARRY);
    let router = add_rows::<PoolLockRow, 1>(router, &LOCKDOWN);
    let link = get(show::<RuleLinkRow>).put(put_link).delete(remove::<RuleLinkRow>);
    let settings = get(show::<PreflightRow>).put(put::<PreflightRow, 0>);
    router.route(RULE_LINKS.path, link).route(PREFLIGHT.path, settings)
}

/// Adds the operations of a table with `KEY` columns in its key.
fn add_rows<R: ConfigRow + 'static, const KEY: usize>(
    router: Router<Arc<Api>>,
    resource: &Resource,
) -> Router<Arc<Api>> {
    router
        .route(resource.list_path(), get(list::<R>))
        .route(resource.path, get(show::<R>).put(put::<R, KEY>).delete(remove::<R>))
}

async fn list<R: ConfigRow>(Viewer(caller): Viewer) -> ApiResult<Response> {
    Ok(list_answer(&current(&caller).await?, R::CONFIG_TABLE))
}

async fn show<R: ConfigRow>(
    Viewer(caller): Viewer,
    Path(path): Path<KeyPath<R>>,
) -> ApiResult<Response> {
    row_answer(&current(&caller).await?, R::CONFIG_TABLE, &path.key(), StatusCode::OK)
}

async fn put<R: ConfigRow, const KEY: usize>(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(path): Path<KeyPath<R>>,
    Query(reason): Query<ChangeReason>,
    headers: HeaderMap,
    Body(body): Body<GivenCells<R, KEY>>,
) -> ApiResult<Response> {
    const { assert!(KEY == R::TABLE.key.len(), "the path gives the key, the body gives the rest") };
    let (table, key) = (R::CONFIG_TABLE, path.key());
    let (status, otherwise) = match table {
        ConfigTable::Constraints => (StatusCode::OK, Precondition::Present),
        _ => (status_of_put(current(&caller).await?.row(table, &key)), Precondition::Any),
    };
    let mut row = path.cells();
    row.extend(body.row);
    let change_of_row = write_rows(table, vec![row], precondition(&headers, otherwise)?);
    row_answer(&change(&caller, &api, change_of_row, reason).await?, table, &key, status)
}

/// 201 for a row that was absent.
fn status_of_put<T>(before: Option<T>) -> StatusCode {
    if before.is_some() { StatusCode::OK } else { StatusCode::CREATED }
}

async fn put_link(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(path): Path<KeyPath<RuleLinkRow>>,
    Query(reason): Query<ChangeReason>,
) -> ApiResult<Response> {
    let (table, key) = (ConfigTable::Links, path.key());
    let (state, row) = (current(&caller).await?, path.cells());
    // The node and the rule must exist: without one, the path leads nowhere.
    for of in [ConfigTable::Constraints, ConfigTable::Rules] {
        let cell = |column: &&str| row.iter().find(|(name, _)| name == column);
        let texts = of.key_columns().iter().filter_map(cell).map(|(_, text)| text.as_str());
        let key = RowKey::of(of, texts);
        state.row(of, &key).ok_or_else(|| missing_row(of, &key))?;
    }
    let status = status_of_put(state.row(table, &key));
    let link = write_rows(table, vec![row], Precondition::Any);
    row_answer(&change(&caller, &api, link, reason).await?, table, &key, status)
}

async fn remove<R: ConfigRow>(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(path): Path<KeyPath<R>>,
    Query(reason): Query<ChangeReason>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let removal = ConfigChange::Remove { table: R::CONFIG_TABLE, key: path.key(), precondition };
    change(&caller, &api, removal, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
