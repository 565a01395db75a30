//! The queue of runs (specification 4.4). A unique index permits one active run per tenant. All
//! changes are made under the write lock, so that two workers cannot both claim.

use std::collections::BTreeMap;

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::block_codec::compress_events;
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::runs::{Lease, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore};
use powerfill_ports::{StoreError, StoreResult, check_tenant};
use rusqlite::{Connection, Row, Transaction};

use crate::append::{append_within, find_repeated};
use crate::connection::{begin_write, store_error};
use crate::decode::{get, run_id, timestamp};
use crate::lease::{ensure_no_active_run, release_lost_lock};
use crate::notifier::raise;
use crate::statements::{execute, first_row, query, rows};
use crate::worker_lock::{LockAttempt, WorkerLock};
use crate::{SqliteStore, log};

const RUN_COUNTS: &str = "SELECT status, count(*) FROM runs GROUP BY status";

/// Adds a run to the queue together with its first event.
fn enqueue(
    conn: &mut Connection,
    request: &Append,
    is_scenario: bool,
) -> StoreResult<AppendReceipt> {
    let run = request.run()?;
    let blocks = compress_events(&request.events)?;
    let tx = begin_write(conn)?;
    if let Some(appended) = find_repeated(&tx, request)? {
        return Ok(appended);
    }
    check_tenant(log::tenant(&tx)?.as_ref(), &request.meta.tenant_id)?;
    ensure_no_active_run(&tx)?;
    if find(&tx, run)?.is_some() {
        return Err(StoreError::Failed(
            format!("run {run} was requested before, and is over").into(),
        ));
    }
    let at = request.meta.recorded_at.micros();
    let sql = "INSERT INTO runs (run_id, status, requested_at) VALUES (?1, ?2, ?3)";
    execute(&tx, sql, (run.to_string(), RunStatus::Pending.name(), at))?;
    if is_scenario {
        mark_scenario(&tx, run)?;
    }
    let appended = append_within(&tx, request, &blocks)?;
    tx.commit().map_err(store_error)?;
    Ok(appended)
}

/// Records that a run is a scenario.
pub(crate) fn mark_scenario(conn: &Connection, run: RunId) -> StoreResult<()> {
    execute(conn, query!("mark_scenario"), [run.to_string()]).map(|_| ())
}

/// The claim on the active run.
struct ActiveClaim {
    run: String,
    worker: Option<String>,
    /// In microseconds, as timestamps are stored.
    expires_at: Option<i64>,
    /// Whether the worker took the worker lock.
    is_locked: bool,
    token: u64,
}

/// Claims the active run if it has no worker, if its lease is over, or if its worker is dead.
fn claim(
    conn: &mut Connection,
    lock: &WorkerLock,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> StoreResult<Option<Lease>> {
    let tx = begin_write(conn)?;
    let Some(active) = first_row(&tx, query!("claim_candidate"), [], active_claim)? else {
        return Ok(None);
    };
    let attempt = lock.take();
    let is_dead = active.is_locked && attempt == LockAttempt::Acquired;
    let has_expired = active.expires_at.is_none_or(|at| at <= now.micros());
    let result = if active.worker.is_none() || has_expired || is_dead {
        grant_lease(tx, &active, attempt != LockAttempt::Refused, worker, until).map(Some)
    } else {
        Ok(None)
    };
    if attempt == LockAttempt::Acquired && !matches!(result, Ok(Some(_))) {
        lock.release();
    }
    result
}

fn active_claim(row: &Row<'_>) -> StoreResult<ActiveClaim> {
    Ok(ActiveClaim {
        run: get(row, 0)?,
        worker: get(row, 1)?,
        expires_at: get(row, 2)?,
        is_locked: get(row, 3)?,
        token: get(row, 4)?,
    })
}

fn grant_lease(
    tx: Transaction<'_>,
    former: &ActiveClaim,
    is_locked: bool,
    worker: &str,
    until: Timestamp,
) -> StoreResult<Lease> {
    let token = former.token + 1;
    let lease = Lease { run_id: run_id(&former.run)?, token };
    execute(&tx, query!("claim_run"), (&former.run, worker, until.micros(), token, is_locked))?;
    tx.commit().map_err(store_error)?;
    Ok(lease)
}

/// Extends a lease. Returns who requested to cancel the run; `None` without a request.
fn renew(
    conn: &mut Connection,
    lock: &WorkerLock,
    lease: Lease,
    until: Timestamp,
) -> StoreResult<Option<String>> {
    let tx = begin_write(conn)?;
    let attempt = lock.take();
    let is_locked = attempt != LockAttempt::Refused;
    let values = (lease.run_id.to_string(), lease.token, until.micros(), is_locked);
    let renewed = first_row(&tx, query!("renew_lease"), values, |row| get(row, 0))?;
    let Some(cancel_requested_by) = renewed else {
        release_lost_lock(&tx, lock)?;
        return Err(StoreError::LeaseLost(lease.run_id));
    };
    tx.commit().map_err(store_error)?;
    Ok(cancel_requested_by)
}

/// Records the status of a run. A final status ends the lease.
fn set_status(
    conn: &mut Connection,
    lock: &WorkerLock,
    lease: Lease,
    status: RunStatus,
) -> StoreResult<()> {
    let tx = begin_write(conn)?;
    let sql = if status.is_over() { query!("end_run") } else { query!("set_run_status") };
    if execute(&tx, sql, (lease.run_id.to_string(), lease.token, status.name()))? == 0 {
        release_lost_lock(&tx, lock)?;
        return Err(StoreError::LeaseLost(lease.run_id));
    }
    tx.commit().map_err(store_error)?;
    if status.is_over() {
        lock.release();
    }
    Ok(())
}

fn request_cancel(conn: &mut Connection, run: RunId, by: &str) -> StoreResult<bool> {
    let tx = begin_write(conn)?;
    let changed = execute(&tx, query!("request_cancel"), (run.to_string(), by))?;
    if changed == 0 && find(&tx, run)?.is_none() {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() });
    }
    tx.commit().map_err(store_error)?;
    Ok(changed > 0)
}

fn queued_run(row: &Row<'_>) -> StoreResult<QueuedRun> {
    Ok(QueuedRun {
        run_id: run_id(&get::<String>(row, 0)?)?,
        status: status(row, 1)?,
        requested_at: timestamp(row, 2)?,
        worker: get(row, 3)?,
        lease_expires_at: get::<Option<i64>>(row, 4)?.map(Timestamp::from_micros),
        cancel_requested_by: get(row, 5)?,
        is_scenario: get(row, 6)?,
    })
}

fn status(row: &Row<'_>, column: usize) -> StoreResult<RunStatus> {
    let name: String = get(row, column)?;
    RunStatus::from_name(&name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has status {name:?}").into()))
}

fn find(conn: &Connection, run: RunId) -> StoreResult<Option<QueuedRun>> {
    first_row(conn, query!("one_run"), [run.to_string()], queued_run)
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn enqueue(&self, request: Append, is_scenario: bool) -> StoreResult<AppendReceipt> {
        let position = self.inner.notifier.sender();
        let appended = self.write(move |conn| enqueue(conn, &request, is_scenario)).await?;
        raise(&position, appended.position);
        Ok(appended)
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<Option<Lease>> {
        let (lock, worker) = (self.worker_lock(), worker.to_owned());
        self.write(move |conn| claim(conn, &lock, &worker, now, until)).await
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> StoreResult<Option<String>> {
        let lock = self.worker_lock();
        self.write(move |conn| renew(conn, &lock, lease, until)).await
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> StoreResult<()> {
        let lock = self.worker_lock();
        self.write(move |conn| set_status(conn, &lock, lease, status)).await
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> StoreResult<bool> {
        let by = by.to_owned();
        self.write(move |conn| request_cancel(conn, run, &by)).await
    }

    async fn run(&self, run: RunId) -> StoreResult<Option<QueuedRun>> {
        self.read_with(move |conn| find(conn, run)).await
    }

    async fn active_run(&self) -> StoreResult<Option<QueuedRun>> {
        self.read_with(|conn| first_row(conn, query!("active_run"), [], queued_run)).await
    }

    async fn latest_run(&self, status: RunStatus) -> StoreResult<Option<QueuedRun>> {
        self.read_with(move |conn| {
            first_row(conn, query!("latest_run"), [status.name()], queued_run)
        })
        .await
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> StoreResult<Vec<QueuedRun>> {
        let RunCursor { requested_at, run_id } = cursor;
        let after = (requested_at.micros(), run_id.to_string(), limit, filter.is_scenario());
        self.read_with(move |conn| rows(conn, query!("runs_after"), after, queued_run)).await
    }

    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> StoreResult<Vec<QueuedRun>> {
        // The text of an id sorts as the id.
        let between = (first.to_string(), last.to_string(), limit);
        self.read_with(move |conn| rows(conn, query!("runs_between"), between, queued_run)).await
    }

    async fn run_counts(&self) -> StoreResult<BTreeMap<RunStatus, u64>> {
        let count = |row: &Row<'_>| Ok((status(row, 0)?, get(row, 1)?));
        self.read_with(move |conn| rows(conn, RUN_COUNTS, [], count)).await
    }
}
