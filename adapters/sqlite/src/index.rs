//! The event indexes of runs (specification 3.3): one row per subject, keyed by the number of the
//! run's stream.

use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::index::{ENTRIES_PER_BATCH, IndexState, IndexedVersions};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, SubjectKind, Versions};
use rusqlite::{Connection, OptionalExtension};

use crate::connection::store_error;
use crate::decode::{bytes, get};
use crate::lease::begin_write_as;
use crate::worker_lock::WorkerLock;

const PUT_STATE: &str = include_str!("../../../sql/sqlite/queries/put_index_state.sql");
const STATE: &str = include_str!("../../../sql/sqlite/queries/index_state.sql");
const ENTRY: &str = include_str!("../../../sql/sqlite/queries/index_entry.sql");
const ENTRIES: &str = include_str!("../../../sql/sqlite/queries/index_entries.sql");
const INDEXED: &str = include_str!("../../../sql/sqlite/queries/indexed_streams.sql");

/// Replaces the index of the writer's run.
pub(crate) fn put(
    conn: &mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
    index: &RunIndex,
) -> Result<(), StoreError> {
    let (tx, run) = (begin_write_as(conn, lock, writer)?, writer.run());
    let not_found = || StoreError::NotFound { what: "run", name: run.to_string() };
    let stream_id: i64 = tx
        .prepare_cached("SELECT stream_id FROM es_streams WHERE name = ?1")
        .and_then(|mut find| find.query_row([run.stream()], |row| row.get(0)).optional())
        .map_err(store_error)?
        .ok_or_else(not_found)?;
    tx.execute("DELETE FROM event_index_entries WHERE stream_id = ?1", [stream_id])
        .map_err(store_error)?;
    {
        let mut insert = tx
            .prepare_cached("INSERT INTO event_index_entries VALUES (?1, ?2, ?3, ?4)")
            .map_err(store_error)?;
        for IndexEntry { subject, versions } in &index.entries {
            insert
                .execute((stream_id, subject.kind.name(), &subject.name, versions.as_bytes()))
                .map_err(store_error)?;
        }
    }
    tx.prepare_cached(PUT_STATE)
        .and_then(|mut put| put.execute((stream_id, index.projector_version, index.up_to_version)))
        .map_err(store_error)?;
    tx.commit().map_err(store_error)
}

/// The number of a run's stream, and the state of its index. `None` if the run has no index.
fn state(conn: &Connection, run: RunId) -> Result<Option<(i64, IndexState)>, StoreError> {
    conn.prepare_cached(STATE)
        .and_then(|mut find| {
            find.query_row([run.stream()], |row| {
                let (projector_version, up_to_version) = (row.get(1)?, row.get(2)?);
                Ok((row.get(0)?, IndexState { projector_version, up_to_version }))
            })
            .optional()
        })
        .map_err(store_error)
}

/// The events of these subjects, read in one transaction.
pub(crate) fn indexed(
    conn: &Connection,
    run: RunId,
    subjects: &[Subject],
) -> Result<Option<IndexedVersions>, StoreError> {
    conn.execute_batch("BEGIN").map_err(store_error)?;
    let found = match state(conn, run)? {
        Some((stream_id, state)) => {
            let mut find = conn.prepare_cached(ENTRY).map_err(store_error)?;
            let mut versions = Vec::with_capacity(subjects.len());
            for Subject { kind, name } in subjects {
                let mut rows = find.query((stream_id, kind.name(), name)).map_err(store_error)?;
                let row = rows.next().map_err(store_error)?;
                let bytes = row.map(|row| Ok(bytes(row, 0)?.to_vec())).transpose()?;
                versions.push(Versions::from_bytes(bytes.unwrap_or_default()));
            }
            Some(IndexedVersions { state, versions })
        }
        None => None,
    };
    conn.execute_batch("COMMIT").map_err(store_error)?;
    Ok(found)
}

/// Every run that has an index.
pub(crate) fn indexed_runs(conn: &Connection) -> Result<Vec<(RunId, IndexState)>, StoreError> {
    let mut all = conn.prepare_cached(INDEXED).map_err(store_error)?;
    let mut rows = all.query([]).map_err(store_error)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        let (stream, number): (Option<String>, i64) = (get(row, 0)?, get(row, 3)?);
        let run = stream.as_deref().and_then(RunId::from_stream).ok_or_else(|| {
            StoreError::Corrupt(
                format!("there is an event index of stream {number}, which is no run").into(),
            )
        })?;
        let state = IndexState { projector_version: get(row, 1)?, up_to_version: get(row, 2)? };
        runs.push((run, state));
    }
    Ok(runs)
}

/// The next batch of entries of a run's index after a subject.
pub(crate) fn entries_after(
    conn: &Connection,
    run: RunId,
    after: Option<&Subject>,
) -> Result<Vec<IndexEntry>, StoreError> {
    let Some((stream_id, _)) = state(conn, run)? else { return Ok(Vec::new()) };
    let mut select = conn.prepare_cached(ENTRIES).map_err(store_error)?;
    let (kind, name) =
        after.map_or(("", ""), |subject| (subject.kind.name(), subject.name.as_str()));
    let mut rows = select.query((stream_id, kind, name, ENTRIES_PER_BATCH)).map_err(store_error)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        let (kind, name): (String, String) = (get(row, 0)?, get(row, 1)?);
        let kind = SubjectKind::from_name(&kind).ok_or_else(|| {
            StoreError::Corrupt(
                format!("the event index of run {run} has the subject {kind:?}").into(),
            )
        })?;
        let versions = Versions::from_bytes(bytes(row, 2)?.to_vec());
        entries.push(IndexEntry { subject: Subject { kind, name }, versions });
    }
    Ok(entries)
}
