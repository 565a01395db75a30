//! The event indexes of runs (specification 3.3): one row per subject, keyed by the number of the
//! run's stream.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::index::{
    ENTRIES_PER_BATCH, EntryBatches, IndexState, IndexStore, IndexedVersions,
};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, SubjectKind, Versions};
use rusqlite::{Connection, Row};

use crate::SqliteStore;
use crate::connection::store_error;
use crate::decode::{bytes, get};
use crate::statements::{execute, first_row, query, rows};

/// Replaces the index of the writer's run.
fn put(tx: &Connection, run: RunId, index: &RunIndex) -> StoreResult<()> {
    let not_found = || StoreError::NotFound { what: "run", name: run.to_string() };
    let find = "SELECT stream_id FROM es_streams WHERE name = ?1";
    let stream_id: i64 =
        first_row(tx, find, [run.stream()], |row| get(row, 0))?.ok_or_else(not_found)?;
    execute(tx, "DELETE FROM event_index_entries WHERE stream_id = ?1", [stream_id])?;
    for IndexEntry { subject, versions } in &index.entries {
        let values = (stream_id, subject.kind.name(), &subject.name, versions.as_bytes());
        execute(tx, "INSERT INTO event_index_entries VALUES (?1, ?2, ?3, ?4)", values)?;
    }
    let state = (stream_id, index.projector_version, index.up_to_version);
    execute(tx, query!("put_index_state"), state).map(|_| ())
}

/// The number of a run's stream, and the state of its index. `None` if the run has no index.
fn state(conn: &Connection, run: RunId) -> StoreResult<Option<(i64, IndexState)>> {
    first_row(conn, query!("index_state"), [run.stream()], |row| {
        Ok((get(row, 0)?, index_state(row)?))
    })
}

fn index_state(row: &Row<'_>) -> StoreResult<IndexState> {
    Ok(IndexState { projector_version: get(row, 1)?, up_to_version: get(row, 2)? })
}

/// The events of these subjects, read in one transaction.
fn indexed(
    conn: &Connection,
    run: RunId,
    subjects: &[Subject],
) -> StoreResult<Option<IndexedVersions>> {
    conn.execute_batch("BEGIN").map_err(store_error)?;
    let found = match state(conn, run)? {
        Some((stream_id, state)) => {
            let versions = subjects.iter().map(|Subject { kind, name }| {
                let subject = (stream_id, kind.name(), name);
                let bytes = first_row(conn, query!("index_entry"), subject, |row| {
                    Ok(bytes(row, 0)?.to_vec())
                })?;
                Ok(Versions::from_bytes(bytes.unwrap_or_default()))
            });
            let versions = versions.collect::<StoreResult<_>>()?;
            Some(IndexedVersions { state, versions })
        }
        None => None,
    };
    conn.execute_batch("COMMIT").map_err(store_error)?;
    Ok(found)
}

fn indexed_run(row: &Row<'_>) -> StoreResult<(RunId, IndexState)> {
    let (stream, number): (Option<String>, i64) = (get(row, 0)?, get(row, 3)?);
    let run = stream.as_deref().and_then(RunId::from_stream).ok_or_else(|| {
        let what = format!("there is an event index of stream {number}, which is no run");
        StoreError::Corrupt(what.into())
    })?;
    Ok((run, index_state(row)?))
}

/// The next batch of entries of a run's index after a subject.
fn entries_after(
    conn: &Connection,
    run: RunId,
    after: Option<&Subject>,
) -> StoreResult<Vec<IndexEntry>> {
    let Some((stream_id, _)) = state(conn, run)? else { return Ok(Vec::new()) };
    let (kind, name) =
        after.map_or(("", ""), |subject| (subject.kind.name(), subject.name.as_str()));
    rows(conn, query!("index_entries"), (stream_id, kind, name, ENTRIES_PER_BATCH), |row| {
        let (kind, name): (String, String) = (get(row, 0)?, get(row, 1)?);
        let kind = SubjectKind::from_name(&kind).ok_or_else(|| {
            let what = format!("the event index of run {run} has the subject {kind:?}");
            StoreError::Corrupt(what.into())
        })?;
        let versions = Versions::from_bytes(bytes(row, 2)?.to_vec());
        Ok(IndexEntry { subject: Subject { kind, name }, versions })
    })
}

#[async_trait]
impl IndexStore for SqliteStore {
    async fn put_index(&self, writer: ProjectionWriter, index: Arc<RunIndex>) -> StoreResult<()> {
        self.write_as(writer, move |tx, run| put(tx, run, &index)).await
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> StoreResult<Option<IndexedVersions>> {
        self.read_with(move |conn| indexed(conn, run, &subjects)).await
    }

    async fn indexed_runs(&self) -> StoreResult<Vec<(RunId, IndexState)>> {
        self.read_with(|conn| rows(conn, query!("indexed_streams"), [], indexed_run)).await
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        stream::try_unfold((self.clone(), None), move |(store, after)| async move {
            let batch =
                store.read_with(move |conn| entries_after(conn, run, after.as_ref())).await?;
            let last = batch.last().map(|last| last.subject.clone());
            Ok(last.map(|last| (batch, (store, Some(last)))))
        })
        .boxed()
    }
}
