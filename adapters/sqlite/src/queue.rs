//! The queue of runs (specification 4.4). A unique index permits one active run per tenant. All
//! changes are made under the write lock, so that two workers cannot both claim.

use std::collections::BTreeMap;

use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::block_codec::compress_events;
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::runs::{Lease, QueuedRun, RunCursor, RunFilter, RunStatus};
use powerfill_ports::{StoreError, check_tenant};
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction};

use crate::append::{append_within, find_repeated};
use crate::connection::{begin_write, store_error};
use crate::decode::{get, run_id, timestamp};
use crate::lease::{ensure_no_active_run, release_lost_lock};
use crate::log;
use crate::worker_lock::{LockAttempt, WorkerLock};

const CLAIM_CANDIDATE: &str = include_str!("../../../sql/sqlite/queries/claim_candidate.sql");
const CLAIM_RUN: &str = include_str!("../../../sql/sqlite/queries/claim_run.sql");
const RENEW_LEASE: &str = include_str!("../../../sql/sqlite/queries/renew_lease.sql");
const SET_STATUS: &str = include_str!("../../../sql/sqlite/queries/set_run_status.sql");
const END_RUN: &str = include_str!("../../../sql/sqlite/queries/end_run.sql");
const REQUEST_CANCEL: &str = include_str!("../../../sql/sqlite/queries/request_cancel.sql");
const ONE_RUN: &str = include_str!("../../../sql/sqlite/queries/one_run.sql");
const ACTIVE_RUN: &str = include_str!("../../../sql/sqlite/queries/active_run.sql");
const LATEST_RUN: &str = include_str!("../../../sql/sqlite/queries/latest_run.sql");
const RUNS_AFTER: &str = include_str!("../../../sql/sqlite/queries/runs_after.sql");
const RUNS_BETWEEN: &str = include_str!("../../../sql/sqlite/queries/runs_between.sql");
const MARK_SCENARIO: &str = include_str!("../../../sql/sqlite/queries/mark_scenario.sql");
const RUN_COUNTS: &str = "SELECT status, count(*) FROM runs GROUP BY status";

/// Adds a run to the queue together with its first event.
pub(crate) fn enqueue(
    conn: &mut Connection,
    request: &Append,
    is_scenario: bool,
) -> Result<AppendReceipt, StoreError> {
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
    tx.execute(
        "INSERT INTO runs (run_id, status, requested_at) VALUES (?1, ?2, ?3)",
        (run.to_string(), RunStatus::Pending.name(), at),
    )
    .map_err(store_error)?;
    if is_scenario {
        mark_scenario(&tx, run)?;
    }
    let appended = append_within(&tx, request, &blocks)?;
    tx.commit().map_err(store_error)?;
    Ok(appended)
}

/// Records that a run is a scenario.
pub(crate) fn mark_scenario(conn: &Connection, run: RunId) -> Result<(), StoreError> {
    conn.execute(MARK_SCENARIO, [run.to_string()]).map(|_| ()).map_err(store_error)
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
pub(crate) fn claim(
    conn: &mut Connection,
    lock: &WorkerLock,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let tx = begin_write(conn)?;
    let active = tx
        .prepare_cached(CLAIM_CANDIDATE)
        .and_then(|mut find| find.query_row([], active_claim).optional())
        .map_err(store_error)?;
    let Some(active) = active else { return Ok(None) };
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

fn active_claim(row: &Row<'_>) -> rusqlite::Result<ActiveClaim> {
    Ok(ActiveClaim {
        run: row.get(0)?,
        worker: row.get(1)?,
        expires_at: row.get(2)?,
        is_locked: row.get(3)?,
        token: row.get(4)?,
    })
}

fn grant_lease(
    tx: Transaction<'_>,
    former: &ActiveClaim,
    is_locked: bool,
    worker: &str,
    until: Timestamp,
) -> Result<Lease, StoreError> {
    let token = former.token + 1;
    let lease = Lease { run_id: run_id(&former.run)?, token };
    tx.prepare_cached(CLAIM_RUN)
        .and_then(|mut claim| {
            claim.execute((&former.run, worker, until.micros(), token, is_locked))
        })
        .map_err(store_error)?;
    tx.commit().map_err(store_error)?;
    Ok(lease)
}

/// Extends a lease. Returns who requested to cancel the run; `None` without a request.
pub(crate) fn renew(
    conn: &mut Connection,
    lock: &WorkerLock,
    lease: Lease,
    until: Timestamp,
) -> Result<Option<String>, StoreError> {
    let tx = begin_write(conn)?;
    let attempt = lock.take();
    let is_locked = attempt != LockAttempt::Refused;
    let renewed: Option<Option<String>> = tx
        .prepare_cached(RENEW_LEASE)
        .and_then(|mut renew| {
            let values = (lease.run_id.to_string(), lease.token, until.micros(), is_locked);
            renew.query_row(values, |row| row.get(0)).optional()
        })
        .map_err(store_error)?;
    let Some(cancel_requested_by) = renewed else {
        release_lost_lock(&tx, lock)?;
        return Err(StoreError::LeaseLost(lease.run_id));
    };
    tx.commit().map_err(store_error)?;
    Ok(cancel_requested_by)
}

/// Records the status of a run. A final status ends the lease.
pub(crate) fn set_status(
    conn: &mut Connection,
    lock: &WorkerLock,
    lease: Lease,
    status: RunStatus,
) -> Result<(), StoreError> {
    let tx = begin_write(conn)?;
    let sql = if status.is_over() { END_RUN } else { SET_STATUS };
    let changed = tx
        .prepare_cached(sql)
        .and_then(|mut set| set.execute((lease.run_id.to_string(), lease.token, status.name())))
        .map_err(store_error)?;
    if changed == 0 {
        release_lost_lock(&tx, lock)?;
        return Err(StoreError::LeaseLost(lease.run_id));
    }
    tx.commit().map_err(store_error)?;
    if status.is_over() {
        lock.release();
    }
    Ok(())
}

/// Requests to cancel a run. Returns `false` if the run is over.
pub(crate) fn request_cancel(
    conn: &mut Connection,
    run: RunId,
    by: &str,
) -> Result<bool, StoreError> {
    let tx = begin_write(conn)?;
    let changed = tx
        .prepare_cached(REQUEST_CANCEL)
        .and_then(|mut request| request.execute((run.to_string(), by)))
        .map_err(store_error)?;
    if changed == 0 && find(&tx, run)?.is_none() {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() });
    }
    tx.commit().map_err(store_error)?;
    Ok(changed > 0)
}

fn queued_run(row: &Row<'_>) -> Result<QueuedRun, StoreError> {
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

fn status(row: &Row<'_>, column: usize) -> Result<RunStatus, StoreError> {
    let name: String = get(row, column)?;
    RunStatus::from_name(&name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has status {name:?}").into()))
}

fn select(
    conn: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<QueuedRun>, StoreError> {
    let mut select = conn.prepare_cached(sql).map_err(store_error)?;
    let mut rows = select.query(parameters).map_err(store_error)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        runs.push(queued_run(row)?);
    }
    Ok(runs)
}

/// A run by its id.
pub(crate) fn find(conn: &Connection, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
    Ok(select(conn, ONE_RUN, [run.to_string()])?.pop())
}

/// The run that is not over.
pub(crate) fn active(conn: &Connection) -> Result<Option<QueuedRun>, StoreError> {
    Ok(select(conn, ACTIVE_RUN, [])?.pop())
}

/// The newest official run with this status.
pub(crate) fn latest(
    conn: &Connection,
    status: RunStatus,
) -> Result<Option<QueuedRun>, StoreError> {
    Ok(select(conn, LATEST_RUN, [status.name()])?.pop())
}

/// The next runs after a cursor, newest first.
pub(crate) fn after(
    conn: &Connection,
    RunCursor { requested_at, run_id }: RunCursor,
    limit: usize,
    filter: RunFilter,
) -> Result<Vec<QueuedRun>, StoreError> {
    let after = (requested_at.micros(), run_id.to_string(), limit, filter.is_scenario());
    select(conn, RUNS_AFTER, after)
}

/// The runs between two ids.
pub(crate) fn between(
    conn: &Connection,
    first: RunId,
    last: RunId,
    limit: usize,
) -> Result<Vec<QueuedRun>, StoreError> {
    // The text of an id sorts as the id.
    select(conn, RUNS_BETWEEN, (first.to_string(), last.to_string(), limit))
}

/// The number of runs per status.
pub(crate) fn counts(conn: &Connection) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
    let mut select = conn.prepare_cached(RUN_COUNTS).map_err(store_error)?;
    let mut rows = select.query([]).map_err(store_error)?;
    let mut counts = BTreeMap::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        counts.insert(status(row, 0)?, get(row, 1)?);
    }
    Ok(counts)
}
