//! Making the output tables, and the index of a run's events, anew from stored events (specification 3.3).

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_events::run::event::RunCompleted;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::digest::TableDigest;
use powerfill_tables::event_index::{EventIndex, RunIndex};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{Cell, RowBatch};
use powerfill_tables::tables::{Projectors, projectors, run_history};
use powerfill_tables::{RunTables, UnknownTable};

use crate::RunnerError;
use crate::stored::{Read, read_versions, recorded};

/// What a rebuild came to.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// Events that were read.
    pub events: u64,
    /// What `RunCompleted` says; `None` where the run is not Complete.
    pub recorded: Option<RunCompleted>,
    /// What the rebuilt tables amount to, in the versions that the run names.
    pub rebuilt: RunCompleted,
    /// The digests of the rebuilt tables that are shown with the run: those that its output digest
    /// covers, and those that describe the run.
    pub digests: Vec<TableDigest>,
    /// BLAKE3 of the run's snapshot, as the request says; `None` where the first event is another one.
    pub input_digest: Option<String>,
    /// When the run was asked for; likewise.
    pub requested_at: Option<Timestamp>,
    /// Where the run stands after its last event.
    pub status: RunStatus,
    /// The run's row of `pfill_run_history`.
    pub history_row: Option<Vec<Cell>>,
    /// The index of its events; `None` where it was not asked for.
    pub index: Option<Arc<RunIndex>>,
}

impl Rebuilt {
    /// Whether the rebuilt tables are what the run recorded.
    pub fn agrees(&self) -> bool {
        self.recorded.as_ref().is_none_or(|recorded| *recorded == self.rebuilt)
    }
}

/// The tables of a run as far as its events were read.
pub(crate) struct Folding {
    run: RunId,
    tables: RunTables,
    events: u64,
    recorded: Option<RunCompleted>,
    rebuilt: Option<RunCompleted>,
    input_digest: Option<String>,
    requested_at: Option<Timestamp>,
    status: RunStatus,
    index: Option<EventIndex>,
}

impl Folding {
    fn with_index(run: RunId, projectors: Projectors) -> Self {
        Self { index: Some(EventIndex::new()), ..Self::new(run, projectors) }
    }

    pub(crate) fn new(run: RunId, projectors: Projectors) -> Self {
        Self {
            run,
            tables: RunTables::of_stored_run(projectors()),
            events: 0,
            recorded: None,
            rebuilt: None,
            input_digest: None,
            requested_at: None,
            status: RunStatus::Pending,
            index: None,
        }
    }

    /// Takes the next events; gives the rows that no later event changes.
    pub(crate) fn take(&mut self, batch: &[Read]) -> Result<Vec<RowBatch>, UnknownTable> {
        for read @ (stored, event) in batch {
            if let RunEvent::RunCompleted(completed) = event {
                self.rebuilt = Some(self.tables.complete_as(&completed.tables)?);
                self.recorded = Some(RunCompleted::clone(completed));
            }
            if let RunEvent::RunRequested(requested) = event {
                self.input_digest = Some(requested.snapshot_digest.clone());
                self.requested_at = Some(stored.recorded_at);
            }
            self.status = RunStatus::reached_with(event);
            let recorded = recorded(self.run, read);
            self.tables.apply(&recorded);
            if let Some(index) = &mut self.index {
                index.apply(&recorded);
            }
            self.events = stored.stream_version;
        }
        Ok(self.tables.drain())
    }

    /// Reads the run up to an event and hands its rows over.
    async fn fold<S: Store + ?Sized>(
        mut self,
        store: &S,
        at: u64,
        mut rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> Result<(), RunnerError>,
    ) -> Result<Rebuilt, RunnerError> {
        let mut batches = read_versions(store, self.run, 1, at);
        while let Some(batch) = batches.try_next().await? {
            let ready = self.take(&batch)?;
            if !ready.is_empty() {
                rows(ready, self.events).await?;
            }
        }
        let (rest, rebuilt) = self.finish()?;
        rows(rest, rebuilt.events).await?;
        Ok(rebuilt)
    }

    /// The rest of the rows.
    pub(crate) fn finish(mut self) -> Result<(Vec<RowBatch>, Rebuilt), RunnerError> {
        if self.events == 0 {
            let name = self.run.to_string();
            return Err(StoreError::NotFound { what: "run", name }.into());
        }
        let rebuilt = self.rebuilt.unwrap_or_else(|| self.tables.complete());
        let history_row = self.tables.history_row();
        let rows = self.tables.finish();
        let covered = self.tables.digests(&rebuilt.tables)?.into_iter().cloned();
        let mut digests: Vec<TableDigest> = covered.collect();
        digests.extend(self.tables.record_digests().cloned());
        let Self { events, recorded, input_digest, requested_at, status, index, .. } = self;
        let rebuilt = Rebuilt {
            events,
            recorded,
            rebuilt,
            digests,
            input_digest,
            requested_at,
            status,
            history_row,
            index: index.map(|index| Arc::new(index.finish())),
        };
        Ok((rows, rebuilt))
    }
}

/// Folds a run's events into its tables and hands the rows over as they become final.
///
/// # Errors
/// Where the run does not exist, an event cannot be read, the store or `rows` fails.
pub async fn fold<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> Result<(), RunnerError>,
) -> Result<Rebuilt, RunnerError> {
    fold_to(store, run, u64::MAX, rows).await
}

/// As [`fold`], but of the run as it stood after an event: its tables as far as they were known then.
///
/// # Errors
/// As [`fold`].
pub async fn fold_to<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    at: u64,
    rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> Result<(), RunnerError>,
) -> Result<Rebuilt, RunnerError> {
    Folding::new(run, projectors).fold(store, at, rows).await
}

/// As [`fold`], with the index of the run's events.
pub(crate) async fn fold_with_index<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    projectors: Projectors,
    rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> Result<(), RunnerError>,
) -> Result<Rebuilt, RunnerError> {
    Folding::with_index(run, projectors).fold(store, u64::MAX, rows).await
}

/// Rebuilds the tables of a Complete run and shows them in place of what is shown; of any run, the index of its events.
///
/// # Errors
/// [`StoreError::RunActive`] while a run goes on, whose rows are in the one staging area; else as [`fold`]. What is
/// shown stays as it was then.
pub async fn rebuild<S: Store + ?Sized>(store: &S, run: RunId) -> Result<Rebuilt, RunnerError> {
    rebuild_with(store, ProjectionWriter::Maintenance(run), projectors).await
}

/// As [`rebuild`], for any writer and any set of tables.
///
/// # Errors
/// As [`rebuild`].
pub async fn rebuild_with<S: Store + ?Sized>(
    store: &S,
    writer: ProjectionWriter,
    projectors: Projectors,
) -> Result<Rebuilt, RunnerError> {
    let mut folding = Folding::with_index(writer.run(), projectors);
    store.begin_staging(writer, &folding.tables.specs()).await?;
    let mut batches = read_versions(store, writer.run(), 1, u64::MAX);
    while let Some(batch) = batches.try_next().await? {
        let ready = folding.take(&batch)?;
        store.stage(writer, ready.into(), folding.events).await?;
    }
    let (rest, rebuilt) = folding.finish()?;
    store.stage(writer, rest.into(), rebuilt.events).await?;
    if rebuilt.recorded.is_some() {
        store.publish(writer).await?;
    }
    put_beside(store, writer, &rebuilt).await?;
    Ok(rebuilt)
}

/// Makes anew what is kept of every run: its row of the history, and the index of its events.
///
/// # Errors
/// As [`fold`], but for a run without events, which has neither.
pub async fn kept<S: Store + ?Sized>(
    store: &S,
    writer: ProjectionWriter,
) -> Result<(), RunnerError> {
    let run = writer.run();
    if store.stream_version(&run.stream()).await? == 0 {
        return Ok(());
    }
    let mut folding = Folding::with_index(run, projectors);
    let mut batches = read_versions(store, run, 1, u64::MAX);
    while let Some(batch) = batches.try_next().await? {
        drop(folding.take(&batch)?);
    }
    let (_, rebuilt) = folding.finish()?;
    put_beside(store, writer, &rebuilt).await
}

/// What is kept of every run: its row of the history, and the index of its events.
async fn put_beside<S: Store + ?Sized>(
    store: &S,
    writer: ProjectionWriter,
    rebuilt: &Rebuilt,
) -> Result<(), RunnerError> {
    if let Some(row) = &rebuilt.history_row {
        store.put_row(writer, &run_history::TABLE, row.clone()).await?;
    }
    if let Some(index) = &rebuilt.index {
        store.put_index(writer, Arc::clone(index)).await?;
    }
    Ok(())
}
