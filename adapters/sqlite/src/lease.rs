//! Who may write (specification 4.4): the worker that has the run's lease, or maintenance while no
//! run is active. This is checked in the transaction that writes, which holds the write lock.

use powerfill_ports::StoreError;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::connection::{begin_write, store_error};
use crate::decode::run_id;
use crate::worker_lock::WorkerLock;

const HOLDS_LEASE: &str = include_str!("../../../sql/sqlite/queries/holds_lease.sql");

/// Begins a transaction of a writer, and checks that it may write.
pub(crate) fn begin_write_as<'c>(
    conn: &'c mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
) -> Result<Transaction<'c>, StoreError> {
    let tx = begin_write(conn)?;
    match writer {
        ProjectionWriter::Worker(lease) => ensure_lease(&tx, lock, lease)?,
        ProjectionWriter::Maintenance(_) => ensure_no_active_run(&tx)?,
    }
    Ok(tx)
}

/// Refuses a lease that another worker has taken over, or whose run is over.
pub(crate) fn ensure_lease(
    conn: &Connection,
    lock: &WorkerLock,
    lease: Lease,
) -> Result<(), StoreError> {
    let holds = conn
        .prepare_cached(HOLDS_LEASE)
        .and_then(|mut find| find.exists((lease.run_id.to_string(), lease.token)))
        .map_err(store_error)?;
    if holds {
        return Ok(());
    }
    release_lost_lock(conn, lock)?;
    Err(StoreError::LeaseLost(lease.run_id))
}

/// Refuses while any run of the tenant is active.
pub(crate) fn ensure_no_active_run(conn: &Connection) -> Result<(), StoreError> {
    let active: Option<String> = conn
        .query_row("SELECT run_id FROM runs WHERE is_over = 0", [], |row| row.get(0))
        .optional()
        .map_err(store_error)?;
    active.map_or(Ok(()), |active| Err(StoreError::RunActive(run_id(&active)?)))
}

/// Releases the worker lock after a lease was lost, so that the worker that has the run now can
/// take it. If that worker took the lock through this same store, it keeps it.
pub(crate) fn release_lost_lock(conn: &Connection, lock: &WorkerLock) -> Result<(), StoreError> {
    let locked: Option<bool> = conn
        .query_row("SELECT worker_locked FROM runs WHERE is_over = 0", [], |row| row.get(0))
        .optional()
        .map_err(store_error)?;
    if locked != Some(true) {
        lock.release();
    }
    Ok(())
}
