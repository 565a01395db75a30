//! Many changes of the lockdown guide at once.

use axum::response::Response;
use powerfill_snapshot::config::{ConfigTable, PoolLockRow, Precondition};
use serde::Deserialize;
use utoipa::ToSchema;

use super::given::GivenCells;
use super::view::list_answer;
use super::{ChangeReason, change, write_rows};
use crate::caller::Admin;
use crate::extract::{Body, Query};
use crate::problem::ApiResult;
use crate::schema::PoolLockNamed;

/// Many rows of the lockdown guide.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoolLocks)]
pub(crate) struct PoolLocks {
    #[schema(value_type = Vec<PoolLockNamed>)]
    pools: Vec<GivenCells<PoolLockRow, 0>>,
}

/// Locks and opens many pools, all of them or none, such as those that preprocess proposes.
#[utoipa::path(post, security(("token" = ["admin"])), operation_id = "lock_pools",
    path = "/api/powerfill/lockdown/bulk", tag = "configuration", params(ChangeReason),
    request_body = PoolLocks,
    responses((status = 200, body = ref("#/components/schemas/Listed_PoolLock")),
        (status = 409)))]
pub(crate) async fn lock_pools(
    Admin { caller, api }: Admin,
    Query(reason): Query<ChangeReason>,
    Body(locks): Body<PoolLocks>,
) -> ApiResult<Response> {
    let rows = locks.pools.into_iter().map(|given| given.row).collect();
    let change_of_pools = write_rows(ConfigTable::Lockdown, rows, Precondition::Any);
    let state = change(&caller, &api, change_of_pools, reason).await?;
    Ok(list_answer(&state, ConfigTable::Lockdown))
}
