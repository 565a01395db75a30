//! Who may write (specification 4.4): the worker that has the run's lease, or maintenance while no
//! run is active. This is checked twice in the transaction that writes: at its start, so that no
//! work is done in vain, and at its end, where the lease is locked up to the commit.

use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_events::run::RunId;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_ports::{StoreError, StoreResult};

use crate::errors::store_error;
use crate::locks;
use crate::statements::{execute_batch, one_row};
use crate::values::{get, to_bigint};

/// Finds the lease without a lock.
pub(crate) const HAS_LEASE: &str = include_str!("../../../sql/postgres/queries/has_lease.sql");
/// Finds the lease and locks it up to the end of the transaction.
pub(crate) const HOLDS_LEASE: &str = include_str!("../../../sql/postgres/queries/holds_lease.sql");

/// Begins a transaction that changes output tables or indexes, alone. [`lock_lease`] must come at
/// its end.
pub(crate) async fn begin_write_as(
    client: &mut ClientWrapper,
    writer: ProjectionWriter,
) -> StoreResult<Transaction<'_>> {
    let tx = begin_exclusive(client).await?;
    match writer {
        ProjectionWriter::Worker(lease) => ensure_lease(&tx, HAS_LEASE, lease).await?,
        ProjectionWriter::Maintenance(_) => ensure_no_active_run(&tx).await?,
    }
    Ok(tx)
}

/// Begins a transaction that waits for all others that change output tables or indexes, also for
/// one whose connection broke.
pub(crate) async fn begin_exclusive(client: &mut ClientWrapper) -> StoreResult<Transaction<'_>> {
    let tx = client.transaction().await.map_err(store_error)?;
    execute_batch(tx.client(), &locks::take(locks::OUTPUTS)).await?;
    Ok(tx)
}

/// The last check: the writer must have the lease, which stays up to the commit.
pub(crate) async fn lock_lease(tx: &Transaction<'_>, writer: ProjectionWriter) -> StoreResult<()> {
    match writer {
        ProjectionWriter::Worker(lease) => ensure_lease(tx, HOLDS_LEASE, lease).await,
        // A run that began meanwhile waits for this transaction before it stages its own tables.
        ProjectionWriter::Maintenance(_) => Ok(()),
    }
}

async fn ensure_lease(tx: &Transaction<'_>, sql: &str, lease: Lease) -> StoreResult<()> {
    let (run, token) = (lease.run_id, to_bigint(lease.token));
    let found = one_row(tx.client(), sql, &[&run.0, &token], |_| Ok(())).await?;
    found.ok_or(StoreError::LeaseLost(run))
}

async fn ensure_no_active_run(tx: &Transaction<'_>) -> StoreResult<()> {
    let active = tx.query_opt("SELECT run_id FROM runs WHERE NOT is_over", &[]).await;
    match active.map_err(store_error)? {
        Some(active) => Err(StoreError::RunActive(RunId(get(&active, 0)?))),
        None => Ok(()),
    }
}
