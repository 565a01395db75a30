//! What an append does beside appending: it puts its run in the queue, or depends on a worker's lease. The statements
//! are prepared before they are needed, so that they go out together with those of the append and are carried out in
//! their order, without a round trip of their own.

use deadpool_postgres::ClientWrapper;
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_ports::StoreError;
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, RunStatus};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Statement};

use crate::bytes_in::{Moment, bound};
use crate::runs::{HAS_LEASE, HOLDS_LEASE};

const ENQUEUE: &str = include_str!("../../../sql/postgres/queries/enqueue.sql");
/// Why a run could not enter the queue.
const IN_THE_WAY: &str = "SELECT run_id, is_over FROM runs WHERE run_id = $1 OR NOT is_over";
const ANOTHER_TENANT: &str = "SELECT FROM es_appends WHERE seq = 1 AND tenant_id <> $1";

/// What it is.
pub(crate) enum Beside {
    Nothing,
    /// A worker's append is made while this lease holds.
    Lease {
        lease: Lease,
        look: Statement,
        hold: Statement,
    },
    /// The first append of a run brings the run into the queue.
    Asking {
        run: RunId,
        tenant: TenantId,
        enqueue: Statement,
    },
}

impl Beside {
    /// Of an append; `asking` is the run that it brings into the queue.
    pub(crate) async fn of(
        client: &ClientWrapper,
        append: &Append,
        asking: Option<RunId>,
    ) -> Result<Self, Error> {
        if let Some(run) = asking {
            let (tenant, enqueue) =
                (append.meta.tenant_id.clone(), client.prepare_cached(ENQUEUE).await?);
            return Ok(Self::Asking { run, tenant, enqueue });
        }
        let Some(lease) = append.lease else { return Ok(Self::Nothing) };
        let look = client.prepare_cached(HAS_LEASE).await?;
        Ok(Self::Lease { lease, look, hold: client.prepare_cached(HOLDS_LEASE).await? })
    }

    /// Before the stream is looked at; `false` where the run is in the queue already, or another one in its way. Waits
    /// for whoever is just asking, so that what comes after sees what became of that.
    pub(crate) async fn enter(
        &self,
        client: &ClientWrapper,
        append: &Append,
    ) -> Result<bool, Error> {
        let Self::Asking { run, tenant, enqueue } = self else { return Ok(true) };
        let (pending, at) = (RunStatus::Pending.name(), Moment(append.meta.recorded_at));
        let row: [&(dyn ToSql + Sync); 4] = [&run.0, &pending, &at, &tenant.as_str()];
        client.execute(enqueue, &row).await.map(|added| added > 0)
    }

    /// When the stream is locked: whether the lease is the run's.
    pub(crate) async fn look(&self, client: &ClientWrapper) -> Result<bool, Error> {
        let Self::Lease { lease, look, .. } = self else { return Ok(true) };
        let found = client.query_opt(look, &[&lease.run_id.0, &bound(lease.token)]).await?;
        Ok(found.is_some())
    }

    /// At the end, when there is only the head to wait for: whether the lease is the run's, and stays so up to the commit.
    pub(crate) async fn hold(&self, client: &ClientWrapper) -> Result<bool, Error> {
        let Self::Lease { lease, hold, .. } = self else { return Ok(true) };
        let found = client.query_opt(hold, &[&lease.run_id.0, &bound(lease.token)]).await?;
        Ok(found.is_some())
    }

    /// What is said where the lease is not the run's.
    pub(crate) fn lost(&self) -> StoreError {
        match self {
            Self::Lease { lease, .. } => StoreError::LeaseLost(lease.run_id),
            Self::Nothing | Self::Asking { .. } => {
                StoreError::Failed("an append without a lease has lost none".to_owned())
            }
        }
    }

    /// Why the run did not enter the queue; `None` where what was in the way has just ended.
    pub(crate) async fn in_the_way(
        &self,
        client: &ClientWrapper,
    ) -> Result<Option<StoreError>, Error> {
        let Self::Asking { run, tenant, .. } = self else { return Ok(None) };
        if client.query_opt(ANOTHER_TENANT, &[&tenant.as_str()]).await?.is_some() {
            return Ok(Some(StoreError::AnotherTenant(tenant.clone())));
        }
        let found = client.query(IN_THE_WAY, &[&run.0]).await?;
        let active = found.iter().find(|row| !row.get::<_, bool>(1));
        Ok(match active {
            Some(active) => Some(StoreError::RunActive(RunId(active.get(0)))),
            None if found.is_empty() => None,
            None => {
                Some(StoreError::Failed(format!("run {run} was asked for before, and is over")))
            }
        })
    }
}
