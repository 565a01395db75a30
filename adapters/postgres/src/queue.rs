//! The queue of runs (specification 4.4). A unique index permits one active run per tenant. A claim
//! skips a run that another worker is claiming. The token of a lease excludes a worker that lost
//! it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::runs::{Lease, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore};
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::commit::{CommitOutcome, commit, commit_idempotent, resolve_unknown};
use crate::errors::store_error;
use crate::pool::ConnectionPool;
use crate::statements::{execute, execute_batch, one_row, query, rows};
use crate::tasks::run_detached;
use crate::values::{ServerTimestamp, get, to_bigint, unsigned};
use crate::{PostgresStore, append, locks};

const RUN_COUNTS: &str = "SELECT status, count(*) FROM runs GROUP BY status";

/// Waits for all transactions that change the queue, so that later statements see their results.
const WAIT_FOR_WRITERS: &str = "LOCK TABLE runs IN SHARE MODE";

/// Claims the active run if it has no worker, or if its lease is over.
async fn claim(
    pool: &ConnectionPool,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> StoreResult<Option<Lease>> {
    let mut client = pool.get().await?;
    let tx = client.transaction().await.map_err(store_error)?;
    let (now, until) = (ServerTimestamp(now), ServerTimestamp(until));
    let lease = |row: &Row| Ok(Lease { run_id: RunId(get(row, 0)?), token: unsigned(row, 1)? });
    let claimed =
        one_row(tx.client(), query!("claim_run"), &[&worker, &now, &until], lease).await?;
    let Some(lease) = claimed else { return Ok(None) };
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
    let _ = client.execute(query!("end_former_sessions"), &[&run.stream(), &locks::OUTPUTS]).await;
}

/// The lease, if it was recorded.
async fn find_claim(
    pool: &ConnectionPool,
    worker: &str,
    lease: Lease,
) -> StoreResult<Option<Lease>> {
    let mut client = pool.get().await?;
    let tx = begin_after_writers(&mut client).await?;
    let sql = "SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND worker = $3";
    let (run, token) = (lease.run_id.0, to_bigint(lease.token));
    one_row(tx.client(), sql, &[&run, &token, &worker], |_| Ok(lease)).await
}

/// Begins a transaction that sees the results of all earlier changes of the queue.
async fn begin_after_writers(client: &mut ClientWrapper) -> StoreResult<Transaction<'_>> {
    let tx = client.transaction().await.map_err(store_error)?;
    execute_batch(tx.client(), WAIT_FOR_WRITERS).await?;
    Ok(tx)
}

/// Records the status of a run. A final status ends the lease.
async fn set_status(pool: &ConnectionPool, lease: Lease, status: RunStatus) -> StoreResult<()> {
    let mut client = pool.get().await?;
    let tx = client.transaction().await.map_err(store_error)?;
    let (run, token) = (lease.run_id.0, to_bigint(lease.token));
    let (name, is_over) = (status.name(), status.is_over());
    if execute(tx.client(), query!("set_run_status"), &[&run, &token, &name, &is_over]).await? == 0
    {
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
) -> StoreResult<Option<()>> {
    let mut client = pool.get().await?;
    let tx = begin_after_writers(&mut client).await?;
    let sql = "SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND status = $3";
    let (run, token) = (lease.run_id.0, to_bigint(lease.token));
    one_row(tx.client(), sql, &[&run, &token, &status.name()], |_| Ok(())).await
}

fn queued_run(row: &Row) -> StoreResult<QueuedRun> {
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

fn status_named(name: &str) -> StoreResult<RunStatus> {
    RunStatus::from_name(name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has status {name:?}").into()))
}

#[async_trait]
impl RunStore for PostgresStore {
    async fn enqueue(&self, request: Append, is_scenario: bool) -> StoreResult<AppendReceipt> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move {
            let appended = append::enqueue(&inner.pool, request, is_scenario).await?;
            inner.listener.raise(appended.position);
            Ok(appended)
        })
        .await
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<Option<Lease>> {
        let (inner, worker) = (Arc::clone(&self.inner), worker.to_owned());
        run_detached(async move { claim(&inner.pool, &worker, now, until).await }).await
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> StoreResult<Option<String>> {
        let client = self.inner.pool.get().await?;
        let (run, token, until) = (lease.run_id, to_bigint(lease.token), ServerTimestamp(until));
        let values: [&(dyn ToSql + Sync); 3] = [&run.0, &token, &until];
        let renewed = one_row(&client, query!("renew_lease"), &values, |row| get(row, 0)).await?;
        renewed.ok_or(StoreError::LeaseLost(run))
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> StoreResult<()> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { set_status(&inner.pool, lease, status).await }).await
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> StoreResult<bool> {
        let client = self.inner.pool.get().await?;
        let changed = execute(&client, query!("request_cancel"), &[&run.0, &by]).await?;
        if changed == 0
            && one_row(&client, query!("one_run"), &[&run.0], queued_run).await?.is_none()
        {
            return Err(StoreError::NotFound { what: "run", name: run.to_string() });
        }
        Ok(changed > 0)
    }

    async fn run(&self, run: RunId) -> StoreResult<Option<QueuedRun>> {
        one_row(&**self.inner.pool.get().await?, query!("one_run"), &[&run.0], queued_run).await
    }

    async fn active_run(&self) -> StoreResult<Option<QueuedRun>> {
        one_row(&**self.inner.pool.get().await?, query!("active_run"), &[], queued_run).await
    }

    async fn latest_run(&self, status: RunStatus) -> StoreResult<Option<QueuedRun>> {
        let client = self.inner.pool.get().await?;
        one_row(&client, query!("latest_run"), &[&status.name()], queued_run).await
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> StoreResult<Vec<QueuedRun>> {
        let client = self.inner.pool.get().await?;
        let (at, run) = (ServerTimestamp(cursor.requested_at), cursor.run_id.0);
        let (limit, is_scenario) = (to_bigint(limit as u64), filter.is_scenario());
        rows(&client, query!("runs_after"), &[&at, &run, &limit, &is_scenario], queued_run).await
    }

    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> StoreResult<Vec<QueuedRun>> {
        let (client, limit) = (self.inner.pool.get().await?, to_bigint(limit as u64));
        rows(&client, query!("runs_between"), &[&first.0, &last.0, &limit], queued_run).await
    }

    async fn run_counts(&self) -> StoreResult<BTreeMap<RunStatus, u64>> {
        let count = |row: &Row| Ok((status_named(get(row, 0)?)?, unsigned(row, 1)?));
        rows(&**self.inner.pool.get().await?, RUN_COUNTS, &[], count).await
    }
}
