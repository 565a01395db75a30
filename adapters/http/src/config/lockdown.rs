//! The lockdown guide: pools whose loans stay.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use powerfill_snapshot::config::{
    ConfigChange, ConfigState, ConfigTable, GivenRow, Held, LeftOut, PoolLockRow, Precondition,
    RowKey,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Listed, Why, answer, cells, change, current, given, listed, not_there, precondition, written,
};
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::extract::{Body, Path, Query};
use crate::problem::Answer;

/// A row of the lockdown guide.
#[derive(Serialize, ToSchema)]
#[schema(as = PoolLock, example = json!({
    "pool_name": "FN123456", "investor_instrument_name": "FN30 5.5", "trade_id": "T0000012",
    "lock_pool": true, "token": 9
}))]
pub(crate) struct LockView {
    pool_name: String,
    investor_instrument_name: Option<String>,
    trade_id: Option<String>,
    /// Whether its loans stay; `false` also opens a closed pool.
    lock_pool: bool,
    /// The version at which the row last changed; its ETag.
    token: u64,
}

/// What is said of a pool.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoolLockGiven)]
pub(crate) struct LockBody {
    investor_instrument_name: Option<String>,
    trade_id: Option<String>,
    /// Whether its loans stay; `false` also opens a closed pool.
    lock_pool: bool,
}

/// A pool among many.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoolLockNamed)]
pub(crate) struct NamedLock {
    #[schema(min_length = 1)]
    pool_name: String,
    investor_instrument_name: Option<String>,
    trade_id: Option<String>,
    /// Whether its loans stay; `false` also opens a closed pool.
    lock_pool: bool,
}

impl NamedLock {
    fn row(self) -> GivenRow {
        let Self { pool_name, investor_instrument_name, trade_id, lock_pool } = self;
        row(pool_name, LockBody { investor_instrument_name, trade_id, lock_pool })
    }
}

/// Many pools at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoolLocks)]
pub(crate) struct Locks {
    pools: Vec<NamedLock>,
}

const TABLE: ConfigTable = ConfigTable::Lockdown;

fn key(pool: &str) -> RowKey {
    RowKey::of(TABLE, [pool])
}

fn row(pool: String, body: LockBody) -> GivenRow {
    cells([
        ("pool_name", Some(pool)),
        ("investor_instrument_name", body.investor_instrument_name),
        ("trade_id", body.trade_id),
        ("lock_pool", Some(if body.lock_pool { "Y" } else { "N" }.to_owned())),
    ])
}

fn view(held: &Held<PoolLockRow>) -> LockView {
    let row = &held.row;
    LockView {
        pool_name: row.pool_name.to_string(),
        investor_instrument_name: given(row.investor_instrument_name.as_ref()),
        trade_id: given(row.trade_id.as_ref()),
        lock_pool: row.lock_pool,
        token: held.token,
    }
}

fn one(state: &ConfigState, key: &RowKey) -> Answer<(LockView, u64)> {
    let held = state.lockdown().get(key).ok_or_else(|| not_there(TABLE, key))?;
    Ok((view(held), held.token))
}

fn all(state: &ConfigState) -> Response {
    listed(state, TABLE, state.lockdown().values().map(view).collect())
}

/// The lockdown guide.
#[utoipa::path(get, operation_id = "list_pool_locks", path = "/api/powerfill/lockdown", tag = "configuration",
    responses((status = 200, body = Listed<LockView>)))]
pub(crate) async fn list(Viewer(caller): Viewer) -> Answer<Response> {
    Ok(all(&current(&caller).await?))
}

/// A pool of the lockdown guide.
#[utoipa::path(get, operation_id = "show_pool_lock",
    path = "/api/powerfill/lockdown/{pool_name}", tag = "configuration",
    params(("pool_name" = String, Path)), responses((status = 200, body = LockView)))]
pub(crate) async fn show(Viewer(caller): Viewer, Path(pool): Path<String>) -> Answer<Response> {
    Ok(answer(true, one(&current(&caller).await?, &key(&pool))?))
}

/// Locks a pool, or opens it.
#[utoipa::path(put, security(("token" = ["admin"])), operation_id = "put_pool_lock",
    path = "/api/powerfill/lockdown/{pool_name}", tag = "configuration",
    params(("pool_name" = String, Path), ("If-Match" = Option<String>, Header), Why),
    request_body = LockBody,
    responses((status = 200, body = LockView, description = "It was there before"),
        (status = 201, body = LockView, description = "It is new"), (status = 412)))]
pub(crate) async fn put(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(pool): Path<String>,
    Query(why): Query<Why>,
    headers: HeaderMap,
    Body(body): Body<LockBody>,
) -> Answer<Response> {
    let key = key(&pool);
    let before = current(&caller).await?.lockdown().contains_key(&key);
    let what = written(TABLE, row(pool, body), precondition(&headers, Precondition::Any)?);
    Ok(answer(before, one(&change(&caller, &api, what, why).await?, &key)?))
}

/// Takes a pool out of the guide: it is locked again where it is closed, and only there.
#[utoipa::path(delete, security(("token" = ["admin"])), operation_id = "remove_pool_lock",
    path = "/api/powerfill/lockdown/{pool_name}", tag = "configuration",
    params(("pool_name" = String, Path), ("If-Match" = Option<String>, Header), Why),
    responses((status = 204, description = "It is gone"), (status = 412)))]
pub(crate) async fn remove(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(pool): Path<String>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let what = ConfigChange::Remove { table: TABLE, key: key(&pool), precondition };
    change(&caller, &api, what, why).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Locks and opens many pools, all of them or none: what preprocess proposes, for one.
#[utoipa::path(post, security(("token" = ["admin"])), operation_id = "lock_pools",
    path = "/api/powerfill/lockdown/bulk", tag = "configuration", params(Why),
    request_body = Locks, responses((status = 200, body = Listed<LockView>)))]
pub(crate) async fn bulk(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Query(why): Query<Why>,
    Body(locks): Body<Locks>,
) -> Answer<Response> {
    let what = ConfigChange::Write {
        table: TABLE,
        rows: locks.pools.into_iter().map(NamedLock::row).collect(),
        left_out: LeftOut::Empty,
        precondition: Precondition::Any,
    };
    Ok(all(&change(&caller, &api, what, why).await?))
}
