//! The queue of runs (specification 4.4). One active run a tenant is a unique index; a claim passes by what another
//! worker is just claiming; a lease's token keeps out whoever lost it.

use std::collections::BTreeMap;

use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::StoreError;
use powerfill_ports::runs::{Lease, ProjectionWriter, QueuedRun, RunCursor, RunStatus};
use tokio_postgres::{Client, Row};

use crate::bytes_in::{Moment, bound, get, number};
use crate::commit::{Ended, commit, commit_repeatable, look_back};
use crate::fault::fault;
use crate::pool::Connections;
use crate::staging::LOCK_KEY;

const CLAIM_RUN: &str = include_str!("../../../sql/postgres/queries/claim_run.sql");
pub(crate) const HAS_LEASE: &str = include_str!("../../../sql/postgres/queries/has_lease.sql");
pub(crate) const HOLDS_LEASE: &str = include_str!("../../../sql/postgres/queries/holds_lease.sql");
const END_FORMER_SESSIONS: &str =
    include_str!("../../../sql/postgres/queries/end_former_sessions.sql");
const RENEW_LEASE: &str = include_str!("../../../sql/postgres/queries/renew_lease.sql");
const SET_STATUS: &str = include_str!("../../../sql/postgres/queries/set_run_status.sql");
const REQUEST_CANCEL: &str = include_str!("../../../sql/postgres/queries/request_cancel.sql");
const ONE_RUN: &str = include_str!("../../../sql/postgres/queries/one_run.sql");
const ACTIVE_RUN: &str = include_str!("../../../sql/postgres/queries/active_run.sql");
const LATEST_RUN: &str = include_str!("../../../sql/postgres/queries/latest_run.sql");
const RUNS_AFTER: &str = include_str!("../../../sql/postgres/queries/runs_after.sql");
const RUN_COUNTS: &str = "SELECT status, count(*) FROM runs GROUP BY status";

/// Waits for whoever is just changing the queue, so that a look sees how that ended.
const SETTLED: &str = "LOCK TABLE runs IN SHARE MODE";

/// Whether this writer may write: the first look in the transaction that writes, so that nothing is done in vain. It
/// holds nobody up, since writing may take long.
pub(crate) async fn look(tx: &Transaction<'_>, writer: ProjectionWriter) -> Result<(), StoreError> {
    let ProjectionWriter::Worker(lease) = writer else {
        let active = tx.query_opt("SELECT run_id FROM runs WHERE NOT is_over", &[]).await;
        return match active.map_err(fault)? {
            Some(active) => Err(StoreError::RunActive(RunId(get(&active, 0)?))),
            None => Ok(()),
        };
    };
    has(tx, HAS_LEASE, lease).await
}

/// The last look: whether the lease is the worker's, and stays so up to the commit.
pub(crate) async fn hold(tx: &Transaction<'_>, writer: ProjectionWriter) -> Result<(), StoreError> {
    match writer {
        ProjectionWriter::Worker(lease) => has(tx, HOLDS_LEASE, lease).await,
        // A run that began meanwhile waits to stage, and shows its own tables in the end.
        ProjectionWriter::Maintenance(_) => Ok(()),
    }
}

async fn has(tx: &Transaction<'_>, sql: &str, lease: Lease) -> Result<(), StoreError> {
    let found = tx.query_opt(sql, &[&lease.run_id.0, &bound(lease.token)]).await;
    found.map_err(fault)?.map(|_| ()).ok_or(StoreError::LeaseLost(lease.run_id))
}

/// Takes the active run where nobody has it, or its lease is over.
pub(crate) async fn claim(
    connections: &Connections,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let mut client = connections.get().await?;
    let tx = client.transaction().await.map_err(fault)?;
    let claimed =
        tx.query_opt(CLAIM_RUN, &[&worker, &Moment(now), &Moment(until)]).await.map_err(fault)?;
    let Some(row) = claimed else { return Ok(None) };
    let lease = Lease { run_id: RunId(get(&row, 0)?), token: number(&row, 1)? };
    match commit(tx).await? {
        Ended::Committed => {
            if lease.token > 1 {
                end_former_sessions(&client, lease.run_id).await;
            }
            Ok(Some(lease))
        }
        Ended::Unknown(broken) => {
            drop(client);
            look_back(broken, || was_claimed(connections, worker, lease)).await.map(Some)
        }
    }
}

/// Whoever had the run before may stand still with its locks. Best effort: without the right to end another user's
/// session, the server's own time limits do it in the end.
async fn end_former_sessions(client: &ClientWrapper, run: RunId) {
    let _ = client.execute(END_FORMER_SESSIONS, &[&run.stream(), &LOCK_KEY]).await;
}

async fn was_claimed(
    connections: &Connections,
    worker: &str,
    lease: Lease,
) -> Result<Option<Lease>, StoreError> {
    let mut client = connections.get().await?;
    let tx = settled(&mut client).await?;
    let sql = "SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND worker = $3";
    let found =
        tx.query_opt(sql, &[&lease.run_id.0, &bound(lease.token), &worker]).await.map_err(fault)?;
    Ok(found.map(|_| lease))
}

async fn settled(client: &mut ClientWrapper) -> Result<Transaction<'_>, StoreError> {
    let tx = client.transaction().await.map_err(fault)?;
    tx.batch_execute(SETTLED).await.map_err(fault)?;
    Ok(tx)
}

/// Extends a lease and answers who asked to cancel.
pub(crate) async fn renew(
    client: &ClientWrapper,
    lease: Lease,
    until: Timestamp,
) -> Result<Option<String>, StoreError> {
    let renewed = client
        .query_opt(RENEW_LEASE, &[&lease.run_id.0, &bound(lease.token), &Moment(until)])
        .await
        .map_err(fault)?;
    let row = renewed.ok_or(StoreError::LeaseLost(lease.run_id))?;
    get(&row, 0)
}

/// Says where the run stands.
pub(crate) async fn set_status(
    connections: &Connections,
    lease: Lease,
    status: RunStatus,
) -> Result<(), StoreError> {
    let mut client = connections.get().await?;
    let tx = client.transaction().await.map_err(fault)?;
    let (run, token) = (lease.run_id.0, bound(lease.token));
    let changed = tx
        .execute(SET_STATUS, &[&run, &token, &status.name(), &status.is_over()])
        .await
        .map_err(fault)?;
    if changed == 0 {
        return Err(StoreError::LeaseLost(lease.run_id));
    }
    if !status.is_over() {
        return commit_repeatable(tx).await;
    }
    match commit(tx).await? {
        Ended::Committed => Ok(()),
        Ended::Unknown(broken) => {
            drop(client);
            // Nobody but the holder of the token can have ended the run.
            look_back(broken, || has_ended(connections, lease, status)).await
        }
    }
}

async fn has_ended(
    connections: &Connections,
    lease: Lease,
    status: RunStatus,
) -> Result<Option<()>, StoreError> {
    let mut client = connections.get().await?;
    let tx = settled(&mut client).await?;
    let sql = "SELECT FROM runs WHERE run_id = $1 AND lease_token = $2 AND status = $3";
    let found = tx
        .query_opt(sql, &[&lease.run_id.0, &bound(lease.token), &status.name()])
        .await
        .map_err(fault)?;
    Ok(found.map(|_| ()))
}

/// Asks for a run to be cancelled.
pub(crate) async fn request_cancel(
    client: &ClientWrapper,
    run: RunId,
    by: &str,
) -> Result<bool, StoreError> {
    let changed = client.execute(REQUEST_CANCEL, &[&run.0, &by]).await.map_err(fault)?;
    if changed == 0 && one(client, run).await?.is_none() {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() });
    }
    Ok(changed > 0)
}

fn queued(row: &Row) -> Result<QueuedRun, StoreError> {
    Ok(QueuedRun {
        run_id: RunId(get(row, 0)?),
        status: status_named(get(row, 1)?)?,
        requested_at: get::<Moment>(row, 2)?.0,
        worker: get(row, 3)?,
        lease_expires_at: get::<Option<Moment>>(row, 4)?.map(|at| at.0),
        cancel_requested_by: get(row, 5)?,
    })
}

fn status_named(name: &str) -> Result<RunStatus, StoreError> {
    RunStatus::from_name(name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has status {name:?}")))
}

/// One run.
pub(crate) async fn one(client: &Client, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
    let row = client.query_opt(ONE_RUN, &[&run.0]).await.map_err(fault)?;
    row.as_ref().map(queued).transpose()
}

/// The run that is not over.
pub(crate) async fn active(client: &ClientWrapper) -> Result<Option<QueuedRun>, StoreError> {
    let row = client.query_opt(ACTIVE_RUN, &[]).await.map_err(fault)?;
    row.as_ref().map(queued).transpose()
}

/// The newest run with this status.
pub(crate) async fn latest(
    client: &ClientWrapper,
    status: RunStatus,
) -> Result<Option<QueuedRun>, StoreError> {
    let row = client.query_opt(LATEST_RUN, &[&status.name()]).await.map_err(fault)?;
    row.as_ref().map(queued).transpose()
}

/// The next runs after a cursor, newest first.
pub(crate) async fn after(
    client: &ClientWrapper,
    RunCursor { requested_at, run_id }: RunCursor,
    limit: usize,
) -> Result<Vec<QueuedRun>, StoreError> {
    let limit = bound(limit as u64);
    let rows = client.query(RUNS_AFTER, &[&Moment(requested_at), &run_id.0, &limit]).await;
    rows.map_err(fault)?.iter().map(queued).collect()
}

/// The number of runs per status.
pub(crate) async fn counts(client: &ClientWrapper) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
    let rows = client.query(RUN_COUNTS, &[]).await.map_err(fault)?;
    rows.iter().map(|row| Ok((status_named(get(row, 0)?)?, number(row, 1)?))).collect()
}
