//! The queue of runs (specification 4.4). A unique index permits one active run per tenant. A claim
//! skips a run that another worker is claiming. The token of a lease excludes a worker that lost
//! it.

use std::collections::BTreeMap;

use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::StoreError;
use powerfill_ports::runs::{Lease, QueuedRun, RunCursor, RunFilter, RunStatus};
use tokio_postgres::{Client, Row};

use crate::commit::{CommitOutcome, commit, commit_idempotent, resolve_unknown};
use crate::errors::store_error;
use crate::locks;
use crate::pool::ConnectionPool;
use crate::values::{ServerTimestamp, get, to_bigint, unsigned};

const CLAIM_RUN: &str = include_str!("../../../sql/postgres/queries/claim_run.sql");
const END_FORMER_SESSIONS: &str =
    include_str!("../../../sql/postgres/queries/end_former_sessions.sql");
const RENEW_LEASE: &str = include_str!("../../../sql/postgres/queries/renew_lease.sql");
const SET_STATUS: &str = include_str!("../../../sql/postgres/queries/set_run_status.sql");
const REQUEST_CANCEL: &str = include_str!("../../../sql/postgres/queries/request_cancel.sql");
const ONE_RUN: &str = include_str!("../../../sql/postgres/queries/one_run.sql");
const ACTIVE_RUN: &str = include_str!("../../../sql/postgres/queries/active_run.sql");
const LATEST_RUN: &str = include_str!("../../../sql/postgres/queries/latest_run.sql");
const RUNS_AFTER: &str = include_str!("../../../sql/postgres/queries/runs_after.sql");
const RUNS_BETWEEN: &str = include_str!("../../../sql/postgres/queries/runs_between.sql");
const RUN_COUNTS: &str = "SELECT status, count(*) FROM runs GROUP BY status";

/// Waits for all transactions that change the queue, so that later statements see their results.
const WAIT_FOR_WRITERS: &str = "LOCK TABLE runs IN SHARE MODE";

/// Claims the active run if it has no worker, or if its lease is over.
pub(crate) async fn claim(
    pool: &ConnectionPool,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let mut client = pool.get().await?;
    let tx = client.transaction().await.map_err(store_error)?;
    let claimed = tx
        .query_opt(CLAIM_RUN, &[&worker, &ServerTimestamp(now), &ServerTimestamp(until)])
        .await
        .map_err(store_error)?;
    let Some(row) = claimed else { return Ok(None) };
    let lease = Lease { run_id: RunId(get(&row, 0)?), token: unsigned(&row, 1)? };
    match commit(tx).await? {
        CommitOutcome::Committed => {
            if lease.token > 1 {
                end_former_sessions(&client, lease.run_id).await;
            }
            Ok(Some(lease))
        }
        CommitOutcome::Unknown(broken) => {
            drop(client);
            resolve_unknown(broken, || find_claim(pool, worker, lease)).await.map(Some)
        }
    }
}

/// The former worker of the run may stall while it has locks. An error is ignored: without the
/// right to end the session of another user, the server's own time limits end it later.
async fn end_former_sessions(client: &ClientWrapper, run: RunId) {
    let _ = client.execute(END_FORMER_SESSIONS, &[&run.stream(), &locks::OUTPUTS]).await;
}

/// The lease, if it was recorded.
async fn find_claim(
    pool: &ConnectionPool,
    worker: &str,
    lease: Lease,
) -> Result<Option<Lease>, StoreError> {
    let mut client = pool.get().await?;
    let tx = begin_after_writers(&mut client).await?;
    let sql = "SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND worker = $3";
    let found = tx
        .query_opt(sql, &[&lease.run_id.0, &to_bigint(lease.token), &worker])
        .await
        .map_err(store_error)?;
    Ok(found.map(|_| lease))
}

/// Begins a transaction that sees the results of all earlier changes of the queue.
async fn begin_after_writers(client: &mut ClientWrapper) -> Result<Transaction<'_>, StoreError> {
    let tx = client.transaction().await.map_err(store_error)?;
    tx.batch_execute(WAIT_FOR_WRITERS).await.map_err(store_error)?;
    Ok(tx)
}

/// Extends a lease. Returns who requested to cancel the run; `None` without a request.
pub(crate) async fn renew(
    client: &ClientWrapper,
    lease: Lease,
    until: Timestamp,
) -> Result<Option<String>, StoreError> {
    let renewed = client
        .query_opt(
            RENEW_LEASE,
            &[&lease.run_id.0, &to_bigint(lease.token), &ServerTimestamp(until)],
        )
        .await
        .map_err(store_error)?;
    let row = renewed.ok_or(StoreError::LeaseLost(lease.run_id))?;
    get(&row, 0)
}

/// Records the status of a run. A final status ends the lease.
pub(crate) async fn set_status(
    pool: &ConnectionPool,
    lease: Lease,
    status: RunStatus,
) -> Result<(), StoreError> {
    let mut client = pool.get().await?;
    let tx = client.transaction().await.map_err(store_error)?;
    let (run, token) = (lease.run_id.0, to_bigint(lease.token));
    let changed = tx
        .execute(SET_STATUS, &[&run, &token, &status.name(), &status.is_over()])
        .await
        .map_err(store_error)?;
    if changed == 0 {
        return Err(StoreError::LeaseLost(lease.run_id));
    }
    if !status.is_over() {
        return commit_idempotent(tx).await;
    }
    match commit(tx).await? {
        CommitOutcome::Committed => Ok(()),
        CommitOutcome::Unknown(broken) => {
            drop(client);
            // Only the worker with the lease's token can have ended the run.
            resolve_unknown(broken, || find_final_status(pool, lease, status)).await
        }
    }
}

/// `Some` if the run has this final status.
async fn find_final_status(
    pool: &ConnectionPool,
    lease: Lease,
    status: RunStatus,
) -> Result<Option<()>, StoreError> {
    let mut client = pool.get().await?;
    let tx = begin_after_writers(&mut client).await?;
    let sql = "SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND status = $3";
    let found = tx
        .query_opt(sql, &[&lease.run_id.0, &to_bigint(lease.token), &status.name()])
        .await
        .map_err(store_error)?;
    Ok(found.map(|_| ()))
}

/// Requests to cancel a run. Returns `false` if the run is over.
pub(crate) async fn request_cancel(
    client: &ClientWrapper,
    run: RunId,
    by: &str,
) -> Result<bool, StoreError> {
    let changed = client.execute(REQUEST_CANCEL, &[&run.0, &by]).await.map_err(store_error)?;
    if changed == 0 && find(client, run).await?.is_none() {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() });
    }
    Ok(changed > 0)
}

fn queued_run(row: &Row) -> Result<QueuedRun, StoreError> {
    Ok(QueuedRun {
        run_id: RunId(get(row, 0)?),
        status: status_named(get(row, 1)?)?,
        requested_at: get::<ServerTimestamp>(row, 2)?.0,
        worker: get(row, 3)?,
        lease_expires_at: get::<Option<ServerTimestamp>>(row, 4)?.map(|at| at.0),
        cancel_requested_by: get(row, 5)?,
        is_scenario: get(row, 6)?,
    })
}

fn status_named(name: &str) -> Result<RunStatus, StoreError> {
    RunStatus::from_name(name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has status {name:?}").into()))
}

/// A run by its id.
pub(crate) async fn find(client: &Client, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
    let row = client.query_opt(ONE_RUN, &[&run.0]).await.map_err(store_error)?;
    row.as_ref().map(queued_run).transpose()
}

/// The run that is not over.
pub(crate) async fn active(client: &ClientWrapper) -> Result<Option<QueuedRun>, StoreError> {
    let row = client.query_opt(ACTIVE_RUN, &[]).await.map_err(store_error)?;
    row.as_ref().map(queued_run).transpose()
}

/// The newest official run with this status.
pub(crate) async fn latest(
    client: &ClientWrapper,
    status: RunStatus,
) -> Result<Option<QueuedRun>, StoreError> {
    let row = client.query_opt(LATEST_RUN, &[&status.name()]).await.map_err(store_error)?;
    row.as_ref().map(queued_run).transpose()
}

/// The next runs after a cursor, newest first.
pub(crate) async fn after(
    client: &ClientWrapper,
    RunCursor { requested_at, run_id }: RunCursor,
    limit: usize,
    filter: RunFilter,
) -> Result<Vec<QueuedRun>, StoreError> {
    let (at, limit) = (ServerTimestamp(requested_at), to_bigint(limit as u64));
    let rows = client.query(RUNS_AFTER, &[&at, &run_id.0, &limit, &filter.is_scenario()]).await;
    rows.map_err(store_error)?.iter().map(queued_run).collect()
}

/// The runs between two ids.
pub(crate) async fn between(
    client: &ClientWrapper,
    first: RunId,
    last: RunId,
    limit: usize,
) -> Result<Vec<QueuedRun>, StoreError> {
    let limit = to_bigint(limit as u64);
    let rows = client.query(RUNS_BETWEEN, &[&first.0, &last.0, &limit]).await;
    rows.map_err(store_error)?.iter().map(queued_run).collect()
}

/// The number of runs per status.
pub(crate) async fn counts(client: &ClientWrapper) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
    let rows = client.query(RUN_COUNTS, &[]).await.map_err(store_error)?;
    rows.iter().map(|row| Ok((status_named(get(row, 0)?)?, unsigned(row, 1)?))).collect()
}
