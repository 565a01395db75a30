//! Who may write (specification 4.4): the worker that has the run's lease, or maintenance while no
//! run is active. This is checked in the transaction that writes, which holds the write lock.

use powerfill_events::run::RunId;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::Connection;

use crate::SqliteStore;
use crate::connection::{begin_write, store_error};
use crate::decode::{get, run_id};
use crate::statements::{first_row, query};
use crate::worker_lock::WorkerLock;

impl SqliteStore {
    /// Makes a change of a writer's run in one transaction, if the writer may write.
    pub(crate) async fn write_as(
        &self,
        writer: ProjectionWriter,
        change: impl FnOnce(&Connection, RunId) -> StoreResult<()> + Send + 'static,
    ) -> StoreResult<()> {
        let lock = self.worker_lock();
        self.write(move |conn| {
            let tx = begin_write(conn)?;
            match writer {
                ProjectionWriter::Worker(lease) => ensure_lease(&tx, &lock, lease)?,
                ProjectionWriter::Maintenance(_) => ensure_no_active_run(&tx)?,
            }
            change(&tx, writer.run())?;
            tx.commit().map_err(store_error)
        })
        .await
    }
}

/// Refuses a lease that another worker has taken over, or whose run is over.
pub(crate) fn ensure_lease(conn: &Connection, lock: &WorkerLock, lease: Lease) -> StoreResult<()> {
    let values = (lease.run_id.to_string(), lease.token);
    if first_row(conn, query!("holds_lease"), values, |_| Ok(()))?.is_some() {
        return Ok(());
    }
    release_lost_lock(conn, lock)?;
    Err(StoreError::LeaseLost(lease.run_id))
}

/// Refuses while any run of the tenant is active.
pub(crate) fn ensure_no_active_run(conn: &Connection) -> StoreResult<()> {
    let find = "SELECT run_id FROM runs WHERE is_over = 0";
    let active = first_row(conn, find, [], |row| run_id(&get::<String>(row, 0)?))?;
    active.map_or(Ok(()), |active| Err(StoreError::RunActive(active)))
}

/// Releases the worker lock after a lease was lost, so that the worker that has the run now can
/// take it. If that worker took the lock through this same store, it keeps it.
pub(crate) fn release_lost_lock(conn: &Connection, lock: &WorkerLock) -> StoreResult<()> {
    let find = "SELECT worker_locked FROM runs WHERE is_over = 0";
    let locked = first_row(conn, find, [], |row| get(row, 0))?;
    if locked != Some(true) {
        lock.release();
    }
    Ok(())
}
