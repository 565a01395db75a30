//! The condition of an append: a worker's lease, or the entry of a run into the queue. The guard
//! prepares its statements before they are needed. They are then sent together with those of the
//! append and carried out in this order, without a round trip of their own.

use deadpool_postgres::ClientWrapper;
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_ports::StoreError;
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, RunStatus};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Statement};

use crate::lease::{HAS_LEASE, HOLDS_LEASE};
use crate::statements::query;
use crate::values::{ServerTimestamp, to_bigint};

/// The runs that can keep a run out of the queue: itself, and the active one.
const BLOCKING_RUNS: &str = "SELECT run_id, is_over FROM runs WHERE run_id = $1 OR NOT is_over";
const ANOTHER_TENANT: &str = "SELECT FROM es_appends WHERE seq = 1 AND tenant_id <> $1";

/// A run that an append adds to the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnqueuedRun {
    pub(crate) run: RunId,
    pub(crate) is_scenario: bool,
}

/// The condition of an append.
pub(crate) enum AppendGuard {
    /// No condition.
    None,
    /// A worker's append is made only while this lease holds.
    Lease { lease: Lease, find: Statement, lock: Statement },
    /// The first append of a run adds the run to the queue.
    Enqueue { enqueued: EnqueuedRun, tenant: TenantId, insert: Statement },
}

impl AppendGuard {
    /// The guard of an append. `enqueued` is the run that the append adds to the queue.
    pub(crate) async fn prepare(
        client: &ClientWrapper,
        append: &Append,
        enqueued: Option<EnqueuedRun>,
    ) -> Result<Self, Error> {
        if let Some(enqueued) = enqueued {
            let tenant = append.meta.tenant_id.clone();
            let insert = client.prepare_cached(query!("enqueue")).await?;
            return Ok(Self::Enqueue { enqueued, tenant, insert });
        }
        let Some(lease) = append.lease else { return Ok(Self::None) };
        let find = client.prepare_cached(HAS_LEASE).await?;
        let lock = client.prepare_cached(HOLDS_LEASE).await?;
        Ok(Self::Lease { lease, find, lock })
    }

    /// Adds the run to the queue, before the stream is read. Returns `false` if the run is in the
    /// queue already, or another run is active. Waits for a concurrent request, so that later
    /// statements see its result.
    pub(crate) async fn enqueue(
        &self,
        client: &ClientWrapper,
        append: &Append,
    ) -> Result<bool, Error> {
        let Self::Enqueue { enqueued, tenant, insert } = self else { return Ok(true) };
        let EnqueuedRun { run, is_scenario } = enqueued;
        let (status, requested_at) =
            (RunStatus::Pending.name(), ServerTimestamp(append.meta.recorded_at));
        let row: [&(dyn ToSql + Sync); 5] =
            [&run.0, &status, &requested_at, &tenant.as_str(), is_scenario];
        client.query_opt(insert, &row).await.map(|added| added.is_some())
    }

    /// Whether the lease holds. Called when the stream is locked.
    pub(crate) async fn find_lease(&self, client: &ClientWrapper) -> Result<bool, Error> {
        let Self::Lease { lease, find, .. } = self else { return Ok(true) };
        query_lease(client, find, lease).await
    }

    /// Whether the lease holds; if so, it stays up to the commit. Called at the end, when only the
    /// head row is left to wait for.
    pub(crate) async fn lock_lease(&self, client: &ClientWrapper) -> Result<bool, Error> {
        let Self::Lease { lease, lock, .. } = self else { return Ok(true) };
        query_lease(client, lock, lease).await
    }

    /// The error of an append whose lease does not hold.
    pub(crate) fn lease_lost(&self) -> StoreError {
        match self {
            Self::Lease { lease, .. } => StoreError::LeaseLost(lease.run_id),
            Self::None | Self::Enqueue { .. } => {
                StoreError::Failed("an append without a lease cannot lose one".into())
            }
        }
    }

    /// Why the run was not added to the queue. `None` if the run that blocked it has just ended.
    pub(crate) async fn refusal(
        &self,
        client: &ClientWrapper,
    ) -> Result<Option<StoreError>, Error> {
        let Self::Enqueue { enqueued: EnqueuedRun { run, .. }, tenant, .. } = self else {
            return Ok(None);
        };
        if client.query_opt(ANOTHER_TENANT, &[&tenant.as_str()]).await?.is_some() {
            return Ok(Some(StoreError::AnotherTenant(tenant.clone())));
        }
        let blocking = client.query(BLOCKING_RUNS, &[&run.0]).await?;
        let active = blocking.iter().find(|row| !row.get::<_, bool>(1));
        Ok(match active {
            Some(active) => Some(StoreError::RunActive(RunId(active.get(0)))),
            None if blocking.is_empty() => None,
            None => Some(StoreError::Failed(
                format!("run {run} was requested before, and is over").into(),
            )),
        })
    }
}

async fn query_lease(
    client: &ClientWrapper,
    statement: &Statement,
    lease: &Lease,
) -> Result<bool, Error> {
    let values: [&(dyn ToSql + Sync); 2] = [&lease.run_id.0, &to_bigint(lease.token)];
    client.query_opt(statement, &values).await.map(|row| row.is_some())
}
