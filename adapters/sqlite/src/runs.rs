//! The queue of runs (specification 4.4). One active run a tenant is a unique index; all changes are made under the
//! write lock, so that two workers cannot both claim.

use std::collections::BTreeMap;

use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::runs::{Lease, ProjectionWriter, QueuedRun, RunCursor, RunStatus};
use powerfill_ports::{StoreError, check_tenant};
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, TransactionBehavior};

use crate::append;
use crate::connection::fault;
use crate::staging::run_id;
use crate::worker_lock::{Taken, WorkerLock};

const CLAIM_CANDIDATE: &str = include_str!("../../../sql/sqlite/queries/claim_candidate.sql");
const CLAIM_RUN: &str = include_str!("../../../sql/sqlite/queries/claim_run.sql");
const RENEW_LEASE: &str = include_str!("../../../sql/sqlite/queries/renew_lease.sql");
const HOLDS_LEASE: &str = include_str!("../../../sql/sqlite/queries/holds_lease.sql");
const SET_STATUS: &str = include_str!("../../../sql/sqlite/queries/set_run_status.sql");
const END_RUN: &str = include_str!("../../../sql/sqlite/queries/end_run.sql");
const REQUEST_CANCEL: &str = include_str!("../../../sql/sqlite/queries/request_cancel.sql");
const ONE_RUN: &str = include_str!("../../../sql/sqlite/queries/one_run.sql");
const ACTIVE_RUN: &str = include_str!("../../../sql/sqlite/queries/active_run.sql");
const LATEST_RUN: &str = include_str!("../../../sql/sqlite/queries/latest_run.sql");
const RUNS_AFTER: &str = include_str!("../../../sql/sqlite/queries/runs_after.sql");
const RUN_COUNTS: &str = "SELECT status, count(*) FROM runs GROUP BY status";

fn begin(conn: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)
}

/// Puts a run in the queue with its first event.
pub(crate) fn enqueue(
    conn: &mut Connection,
    request: &Append,
) -> Result<AppendReceipt, StoreError> {
    let run = request.run()?;
    let tx = begin(conn)?;
    if let Some(done) = append::done_before(&tx, request)? {
        return Ok(done);
    }
    check_tenant(append::tenant(&tx)?.as_ref(), &request.meta.tenant_id)?;
    nobody_is_active(&tx)?;
    if one(&tx, run)?.is_some() {
        return Err(StoreError::Failed(format!("run {run} was asked for before, and is over")));
    }
    let at = request.meta.recorded_at.micros();
    tx.execute(
        "INSERT INTO runs (run_id, status, requested_at) VALUES (?1, ?2, ?3)",
        (run.to_string(), RunStatus::Pending.name(), at),
    )
    .map_err(fault)?;
    let appended = append::within(&tx, request)?;
    tx.commit().map_err(fault)?;
    Ok(appended)
}

fn nobody_is_active(conn: &Connection) -> Result<(), StoreError> {
    let active: Option<String> = conn
        .query_row("SELECT run_id FROM runs WHERE is_over = 0", [], |row| row.get(0))
        .optional()
        .map_err(fault)?;
    active.map_or(Ok(()), |active| Err(StoreError::RunActive(run_id(&active)?)))
}

/// Whether this writer may write: asked in the transaction that writes.
pub(crate) fn fence(
    conn: &Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
) -> Result<(), StoreError> {
    match writer {
        ProjectionWriter::Worker(lease) => must_hold(conn, lock, lease),
        ProjectionWriter::Maintenance(_) => nobody_is_active(conn),
    }
}

/// Whether this lease is the run's: asked in the transaction that writes.
pub(crate) fn must_hold(
    conn: &Connection,
    lock: &WorkerLock,
    lease: Lease,
) -> Result<(), StoreError> {
    let holds = conn
        .prepare_cached(HOLDS_LEASE)
        .and_then(|mut find| find.exists((lease.run_id.to_string(), lease.token)))
        .map_err(fault)?;
    if holds {
        return Ok(());
    }
    release_unless_locked(conn, lock)?;
    Err(StoreError::LeaseLost(lease.run_id))
}

/// Who has the active run.
struct Candidate {
    run: String,
    worker: Option<String>,
    expires_at: Option<i64>,
    worker_locked: bool,
    token: u64,
}

/// Takes the active run where nobody has it, its lease is over, or its worker is dead.
pub(crate) fn claim(
    conn: &mut Connection,
    lock: &WorkerLock,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let tx = begin(conn)?;
    let candidate = tx
        .prepare_cached(CLAIM_CANDIDATE)
        .and_then(|mut find| find.query_row([], candidate).optional())
        .map_err(fault)?;
    let Some(candidate) = candidate else { return Ok(None) };
    let taken = lock.take();
    let dead = candidate.worker_locked && taken == Taken::Now;
    let lease_over = candidate.expires_at.is_none_or(|at| at <= now.micros());
    let result = if candidate.worker.is_none() || lease_over || dead {
        give_lease(tx, &candidate, taken != Taken::No, worker, until).map(Some)
    } else {
        Ok(None)
    };
    if taken == Taken::Now && !matches!(result, Ok(Some(_))) {
        lock.release();
    }
    result
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        run: row.get(0)?,
        worker: row.get(1)?,
        expires_at: row.get(2)?,
        worker_locked: row.get(3)?,
        token: row.get(4)?,
    })
}

fn give_lease(
    tx: Transaction<'_>,
    candidate: &Candidate,
    locked: bool,
    worker: &str,
    until: Timestamp,
) -> Result<Lease, StoreError> {
    let token = candidate.token + 1;
    let lease = Lease { run_id: run_id(&candidate.run)?, token };
    tx.prepare_cached(CLAIM_RUN)
        .and_then(|mut claim| {
            claim.execute((&candidate.run, worker, until.micros(), token, locked))
        })
        .map_err(fault)?;
    tx.commit().map_err(fault)?;
    Ok(lease)
}

/// Extends a lease and answers who asked to cancel.
pub(crate) fn renew(
    conn: &mut Connection,
    lock: &WorkerLock,
    lease: Lease,
    until: Timestamp,
) -> Result<Option<String>, StoreError> {
    let tx = begin(conn)?;
    let taken = lock.take();
    let renewed: Option<Option<String>> = tx
        .prepare_cached(RENEW_LEASE)
        .and_then(|mut renew| {
            renew
                .query_row(
                    (lease.run_id.to_string(), lease.token, until.micros(), taken != Taken::No),
                    |row| row.get(0),
                )
                .optional()
        })
        .map_err(fault)?;
    let Some(cancel_requested_by) = renewed else {
        release_unless_locked(&tx, lock)?;
        return Err(StoreError::LeaseLost(lease.run_id));
    };
    tx.commit().map_err(fault)?;
    Ok(cancel_requested_by)
}

/// A worker that lost its lease lets the lock go, so that the one that has the run now can hold it; unless that one
/// holds it through this very store.
fn release_unless_locked(conn: &Connection, lock: &WorkerLock) -> Result<(), StoreError> {
    let locked: Option<bool> = conn
        .query_row("SELECT worker_locked FROM runs WHERE is_over = 0", [], |row| row.get(0))
        .optional()
        .map_err(fault)?;
    if locked != Some(true) {
        lock.release();
    }
    Ok(())
}

/// Says where the run stands.
pub(crate) fn set_status(
    conn: &mut Connection,
    lock: &WorkerLock,
    lease: Lease,
    status: RunStatus,
) -> Result<(), StoreError> {
    let tx = begin(conn)?;
    let sql = if status.is_over() { END_RUN } else { SET_STATUS };
    let changed = tx
        .prepare_cached(sql)
        .and_then(|mut set| set.execute((lease.run_id.to_string(), lease.token, status.name())))
        .map_err(fault)?;
    if changed == 0 {
        release_unless_locked(&tx, lock)?;
        return Err(StoreError::LeaseLost(lease.run_id));
    }
    tx.commit().map_err(fault)?;
    if status.is_over() {
        lock.release();
    }
    Ok(())
}

/// Asks for a run to be cancelled.
pub(crate) fn request_cancel(
    conn: &mut Connection,
    run: RunId,
    by: &str,
) -> Result<bool, StoreError> {
    let tx = begin(conn)?;
    let changed = tx
        .prepare_cached(REQUEST_CANCEL)
        .and_then(|mut request| request.execute((run.to_string(), by)))
        .map_err(fault)?;
    if changed == 0 && one(&tx, run)?.is_none() {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() });
    }
    tx.commit().map_err(fault)?;
    Ok(changed > 0)
}

fn queued(row: &Row<'_>) -> Result<QueuedRun, StoreError> {
    let read = || {
        let moment = |at: Option<i64>| at.map(Timestamp::from_micros);
        let status: String = row.get(1)?;
        Ok((
            row.get::<_, String>(0)?,
            status,
            QueuedRun {
                run_id: RunId(uuid::Uuid::nil()),
                status: RunStatus::Pending,
                requested_at: Timestamp::from_micros(row.get(2)?),
                worker: row.get(3)?,
                lease_expires_at: moment(row.get(4)?),
                cancel_requested_by: row.get(5)?,
            },
        ))
    };
    let (run, status, queued) = read().map_err(fault)?;
    Ok(QueuedRun { run_id: run_id(&run)?, status: status_named(&status)?, ..queued })
}

fn status_named(name: &str) -> Result<RunStatus, StoreError> {
    RunStatus::from_name(name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has status {name:?}")))
}

/// One run.
pub(crate) fn one(conn: &Connection, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
    Ok(select(conn, ONE_RUN, [run.to_string()])?.pop())
}

/// The run that is not over.
pub(crate) fn active(conn: &Connection) -> Result<Option<QueuedRun>, StoreError> {
    Ok(select(conn, ACTIVE_RUN, [])?.pop())
}

/// The newest run with this status.
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
) -> Result<Vec<QueuedRun>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    select(conn, RUNS_AFTER, (requested_at.micros(), run_id.to_string(), limit))
}

fn select(
    conn: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<QueuedRun>, StoreError> {
    let mut query = conn.prepare_cached(sql).map_err(fault)?;
    let mut rows = query.query(parameters).map_err(fault)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        runs.push(queued(row)?);
    }
    Ok(runs)
}

/// The number of runs per status.
pub(crate) fn counts(conn: &Connection) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
    let mut query = conn.prepare_cached(RUN_COUNTS).map_err(fault)?;
    let counts = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
    counts
        .map_err(fault)?
        .map(|count| {
            let (status, count) = count.map_err(fault)?;
            Ok((status_named(&status)?, count))
        })
        .collect()
}
