//! The event indexes of runs (specification 3.3): one row per subject, keyed by the number of the
//! run's stream.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use futures::stream::{self, StreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::index::{
    ENTRIES_PER_BATCH, EntryBatches, IndexState, IndexStore, IndexedVersions,
};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, SubjectKind, Versions};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::PostgresStore;
use crate::commit::commit_idempotent;
use crate::copy::copy;
use crate::errors::store_error;
use crate::lease::{begin_write_as, lock_lease};
use crate::pool::ConnectionPool;
use crate::statements::{execute, one_row, prepared, query, rows};
use crate::tasks::run_detached;
use crate::values::{get, to_bigint, unsigned};

const COPY: &str =
    "COPY event_index_entries (stream_id, subject, name, versions) FROM STDIN (FORMAT binary)";

/// Replaces the index of the writer's run.
async fn put(
    pool: &ConnectionPool,
    writer: ProjectionWriter,
    index: Arc<RunIndex>,
) -> StoreResult<()> {
    let run = writer.run();
    let mut client = pool.get().await?;
    let tx = begin_write_as(&mut client, writer).await?;
    let projector_version = i32::try_from(index.projector_version)
        .map_err(|_| StoreError::Failed("the version of the projector is too large".into()))?;
    let (stream, up_to_version) = (run.stream(), to_bigint(index.up_to_version));
    let values: [&(dyn ToSql + Sync); 3] = [&stream, &projector_version, &up_to_version];
    let stream_id: i64 =
        one_row(tx.client(), query!("put_index_state"), &values, |row| get(row, 0))
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "run", name: run.to_string() })?;
    let delete = "DELETE FROM event_index_entries WHERE stream_id = $1";
    execute(tx.client(), delete, &[&stream_id]).await?;
    copy(tx.client(), COPY, move |rows| {
        for IndexEntry { subject, versions } in &index.entries {
            rows.begin_row(4)?;
            rows.write_bigint(stream_id);
            rows.write_bytes(subject.kind.name().as_bytes());
            rows.write_bytes(subject.name.as_bytes());
            rows.write_bytes(versions.as_bytes());
        }
        Ok(())
    })
    .await?;
    lock_lease(&tx, writer).await?;
    commit_idempotent(tx).await
}

fn state(row: &Row, column: usize) -> StoreResult<IndexState> {
    let version: i32 = get(row, column)?;
    let projector_version = u32::try_from(version).map_err(|_| {
        StoreError::Corrupt(format!("an index of projector version {version}").into())
    })?;
    Ok(IndexState { projector_version, up_to_version: unsigned(row, column + 1)? })
}

/// The events of these subjects, read by one query.
async fn indexed(
    client: &ClientWrapper,
    run: RunId,
    subjects: &[Subject],
) -> StoreResult<Option<IndexedVersions>> {
    let kinds: Vec<&str> = subjects.iter().map(|subject| subject.kind.name()).collect();
    let names: Vec<&[u8]> = subjects.iter().map(|subject| subject.name.as_bytes()).collect();
    let find = prepared(client, query!("index_of_subjects")).await?;
    let rows = client.query(&find, &[&run.stream(), &kinds, &names]).await.map_err(store_error)?;
    let Some(first) = rows.first() else { return Ok(None) };
    let versions = rows.iter().take(subjects.len()).map(|row| {
        let versions: Option<&[u8]> = get(row, 2)?;
        Ok(Versions::from_bytes(versions.unwrap_or_default().to_vec()))
    });
    Ok(Some(IndexedVersions {
        state: state(first, 0)?,
        versions: versions.collect::<Result<_, _>>()?,
    }))
}

fn indexed_run(row: &Row) -> StoreResult<(RunId, IndexState)> {
    let (stream, number): (Option<&str>, i64) = (get(row, 0)?, get(row, 3)?);
    let run = stream.and_then(RunId::from_stream).ok_or_else(|| {
        let what = format!("there is an event index of stream {number}, which is no run");
        StoreError::Corrupt(what.into())
    })?;
    Ok((run, state(row, 1)?))
}

/// The next batch of entries of a run's index after a subject.
async fn entries_after(
    client: &ClientWrapper,
    run: RunId,
    after: Option<&Subject>,
) -> StoreResult<Vec<IndexEntry>> {
    let (kind, name) =
        after.map_or(("", ""), |subject| (subject.kind.name(), subject.name.as_str()));
    let find = prepared(client, query!("index_entries")).await?;
    let limit = to_bigint(ENTRIES_PER_BATCH as u64);
    let (stream, name) = (run.stream(), name.as_bytes());
    rows(client, &find, &[&stream, &kind, &name, &limit], |row| {
        let (kind, name, versions): (&str, &[u8], &[u8]) =
            (get(row, 0)?, get(row, 1)?, get(row, 2)?);
        let subject = SubjectKind::from_name(kind).zip(std::str::from_utf8(name).ok());
        let (kind, name) = subject.ok_or_else(|| {
            let name = String::from_utf8_lossy(name);
            let what = format!("the event index of run {run} has the subject {kind:?} {name:?}");
            StoreError::Corrupt(what.into())
        })?;
        let subject = Subject { kind, name: name.to_owned() };
        Ok(IndexEntry { subject, versions: Versions::from_bytes(versions.to_vec()) })
    })
    .await
}

#[async_trait]
impl IndexStore for PostgresStore {
    async fn put_index(&self, writer: ProjectionWriter, index: Arc<RunIndex>) -> StoreResult<()> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { put(&inner.pool, writer, index).await }).await
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> StoreResult<Option<IndexedVersions>> {
        indexed(&*self.inner.pool.get().await?, run, &subjects).await
    }

    async fn indexed_runs(&self) -> StoreResult<Vec<(RunId, IndexState)>> {
        rows(&**self.inner.pool.get().await?, query!("indexed_streams"), &[], indexed_run).await
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        stream::try_unfold(None, move |after: Option<Subject>| async move {
            let client = self.inner.pool.get().await?;
            let batch = entries_after(&client, run, after.as_ref()).await?;
            let last = batch.last().map(|last| last.subject.clone());
            Ok(last.map(|last| (batch, Some(last))))
        })
        .boxed()
    }
}
