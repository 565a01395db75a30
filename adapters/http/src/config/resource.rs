//! The tables of the configuration as resources. All of them have the same four operations; what
//! differs is declared per table, and the columns come from the table's own declaration.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use powerfill_snapshot::config::{
    CarryBucketRow, ConfigChange, ConfigRow, ConfigTable, ConstraintRow, PoolLockRow, Precondition,
    PreflightRow, RowKey, RuleLinkRow, RuleRow,
};

use super::given::{GivenCells, KeyPath};
use super::view::{list_answer, missing_row, row_answer};
use super::{ChangeReason, change, current, precondition, write_rows};
use crate::accepted::unless_known;
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::extract::{Body, Path, Query};
use crate::problem::ApiResult;
use crate::routing::boxed;

/// A table over HTTP.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) table: ConfigTable,
    /// The path of a row. The parts in braces are the columns of the key.
    pub(crate) path: &'static str,
    /// The name of the schema of a row.
    pub(crate) schema: &'static str,
    /// The names of a row and of all rows in the ids of operations.
    pub(crate) names: [&'static str; 2],
    /// An example of a row, as JSON.
    pub(crate) example: &'static str,
}

impl Resource {
    /// The path of the list; `None` for the settings, and for links, which nodes and rules list.
    pub(crate) fn list_path(&self) -> Option<&'static str> {
        match self.table {
            ConfigTable::Links | ConfigTable::Preflight => None,
            _ => self.path.split_once("/{").map(|(path, _)| path),
        }
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

    /// The schema of an answer with one row.
    pub(crate) fn answer_schema(&self) -> &'static str {
        if self.table == ConfigTable::Carry { "CarryBucketSet" } else { self.schema }
    }

    /// The member of an answer with what is linked to a row, and its description.
    pub(crate) const fn links(&self) -> Option<(&'static str, &'static str)> {
        match self.table {
            ConfigTable::Constraints => Some(("rules", "The rules that are linked to it.")),
            ConfigTable::Rules => Some((
                "constraints",
                "The keys of the nodes that it is linked to, their parts joined by a vertical bar.",
            )),
            _ => None,
        }
    }
}

const CONSTRAINTS: Resource = Resource {
    table: ConfigTable::Constraints,
    path: "/api/powerfill/constraints/{investor_id}/{instrument}/{name}",
    schema: "Constraint",
    names: ["constraint", "constraints"],
    example: r#"{"investor_id": "FNMA", "investor_instrument_name": "FN30 5.5",
        "constraint_name": "", "constraint_priority": 10, "lo_limit": null,
        "hi_limit": "0.250000", "rules": ["HIGH FICO"], "token": 4}"#,
};

const RULE_LINKS: Resource = Resource {
    table: ConfigTable::Links,
    path: "/api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    schema: "RuleLink",
    names: ["rule_link", "rule_links"],
    example: "",
};

const RULES: Resource = Resource {
    table: ConfigTable::Rules,
    path: "/api/powerfill/sec-rules/{rule_name}",
    schema: "SecRule",
    names: ["sec_rule", "sec_rules"],
    example: r#"{"rule_name": "HIGH FICO", "rule_syntax": "fico >= 740 AND state <> 'NY'",
        "constraints": ["FNMA|FN30 5.5|"], "token": 3}"#,
};

const CARRY: Resource = Resource {
    table: ConfigTable::Carry,
    path: "/api/powerfill/carry-cost/{instrument}/{on_day}",
    schema: "CarryBucket",
    names: ["carry_bucket", "carry_costs"],
    example: r#"{"investor_instrument_name": "FN30 5.5", "on_day": 0, "to_day": 14,
        "annual_rate": "1.250000", "token": 7}"#,
};

const LOCKDOWN: Resource = Resource {
    table: ConfigTable::Lockdown,
    path: "/api/powerfill/lockdown/{pool_name}",
    schema: "PoolLock",
    names: ["pool_lock", "pool_locks"],
    example: r#"{"pool_name": "FN123456", "investor_instrument_name": "FN30 5.5",
        "trade_id": "T0000012", "lock_pool": true, "token": 9}"#,
};

const PREFLIGHT: Resource = Resource {
    table: ConfigTable::Preflight,
    path: "/api/powerfill/settings/preflight",
    schema: "PreflightSettings",
    names: ["preflight_settings", "preflight_settings"],
    example: "",
};

/// Every table of the configuration.
pub(crate) const RESOURCES: [&Resource; 6] =
    [&CONSTRAINTS, &RULE_LINKS, &RULES, &CARRY, &LOCKDOWN, &PREFLIGHT];

/// Adds the operations of every table.
pub(crate) fn add_routes(router: Router<Arc<Api>>) -> Router<Arc<Api>> {
    let link =
        get(boxed(show::<RuleLinkRow>)).put(boxed(put_link)).delete(boxed(remove::<RuleLinkRow>));
    let settings = get(boxed(show::<PreflightRow>)).put(boxed(put::<PreflightRow, 0>));
    let mut router = router.route(RULE_LINKS.path, link).route(PREFLIGHT.path, settings);
    let tables = [
        (&CONSTRAINTS, rows::<ConstraintRow, 3>()),
        (&RULES, rows::<RuleRow, 1>()),
        (&CARRY, rows::<CarryBucketRow, 2>()),
        (&LOCKDOWN, rows::<PoolLockRow, 1>()),
    ];
    for (resource, [all, one]) in tables {
        if let Some(path) = resource.list_path() {
            router = router.route(path, all);
        }
        router = router.route(resource.path, one);
    }
    router
}

/// The operations of all rows and of one row of a table with `KEY` columns in its key.
fn rows<R: ConfigRow + 'static, const KEY: usize>() -> [MethodRouter<Arc<Api>>; 2] {
    let one = get(boxed(show::<R>)).put(boxed(put::<R, KEY>)).delete(boxed(remove::<R>));
    [get(boxed(list::<R>)), one]
}

async fn list<R: ConfigRow>(
    Viewer { caller, .. }: Viewer,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let answer = list_answer(&current(&caller).await?, R::CONFIG_TABLE);
    Ok(unless_known(&headers, answer))
}

async fn show<R: ConfigRow>(
    Viewer { caller, .. }: Viewer,
    Path(path): Path<KeyPath<R>>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let state = current(&caller).await?;
    let answer = row_answer(&state, R::CONFIG_TABLE, &path.key(), StatusCode::OK)?;
    Ok(unless_known(&headers, answer))
}

async fn put<R: ConfigRow, const KEY: usize>(
    Admin { caller, api }: Admin,
    Path(path): Path<KeyPath<R>>,
    Query(reason): Query<ChangeReason>,
    headers: HeaderMap,
    Body(body): Body<GivenCells<R, KEY>>,
) -> ApiResult<Response> {
    const { assert!(KEY == R::TABLE.key.len(), "the path gives the key, the body gives the rest") };
    let (table, key) = (R::CONFIG_TABLE, path.key());
    let before = current(&caller).await?.row(table, &key).map(|(_, token)| token);
    let (status, otherwise) = match table {
        ConfigTable::Constraints => (StatusCode::OK, Precondition::Present),
        _ => (status_of_put(before), Precondition::Any),
    };
    let mut row = path.cells();
    row.extend(body.row);
    let change_of_row = write_rows(table, vec![row], precondition(&headers, before, otherwise)?);
    row_answer(&change(&caller, &api, change_of_row, reason).await?, table, &key, status)
}

/// 201 for a row that was absent.
fn status_of_put<T>(before: Option<T>) -> StatusCode {
    if before.is_some() { StatusCode::OK } else { StatusCode::CREATED }
}

async fn put_link(
    Admin { caller, api }: Admin,
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
    Admin { caller, api }: Admin,
    Path(path): Path<KeyPath<R>>,
    Query(reason): Query<ChangeReason>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    let (table, key) = (R::CONFIG_TABLE, path.key());
    let before = current(&caller).await?.row(table, &key).map(|(_, token)| token);
    let precondition = precondition(&headers, before, Precondition::Present)?;
    let removal = ConfigChange::Remove { table, key, precondition };
    change(&caller, &api, removal, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
