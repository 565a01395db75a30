//! Makes a run's output tables and its index again from the stored events (specification 3.3).

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_events::run::event::RunCompleted;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::detached_block::HashCheck;
use powerfill_ports::run_list::{AnnotationHead, read_annotations};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{Store, StoreResult};
use powerfill_tables::digest::TableDigest;
use powerfill_tables::event_index::{EventIndex, RunIndex};
use powerfill_tables::run_headline::RunHeadline;
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{Cell, LargeTables, RowBatch, TableRef};
use powerfill_tables::tables::{Projectors, projectors, run_history};
use powerfill_tables::{RunTables, UnknownTable};

use crate::certificate::recorded_certificate;
use crate::events::{DecodedEvent, read_checked, read_run, read_types};
use crate::{AppError, AppResult};

/// What the events of a run amount to.
#[derive(Debug, Clone)]
pub struct RebuiltRun {
    /// The number of events.
    pub events: u64,
    /// The content of `RunCompleted`; `None` if the run is not Complete.
    pub recorded: Option<RunCompleted>,
    /// The same, computed from the rebuilt tables, in the versions that the run names.
    pub rebuilt: RunCompleted,
    /// The digests of the rebuilt tables that are shown with the run: those that its output digest
    /// covers, and those that describe the run.
    pub digests: Vec<TableDigest>,
    /// BLAKE3 of the run's snapshot; `None` if the first event is no request.
    pub input_digest: Option<String>,
    /// Whether the run is a scenario, whose tables are never shown (8.5).
    pub is_scenario: bool,
    /// The moment of the request; `None` if the first event is no request.
    pub requested_at: Option<Timestamp>,
    /// The status after the last event.
    pub status: RunStatus,
    /// The run's row of `pfill_run_history`.
    pub history_row: Option<Vec<Cell>>,
    /// What the list of runs says about it.
    pub headline: Option<RunHeadline>,
    /// The index of the run's events, if it was built.
    pub index: Option<Arc<RunIndex>>,
}

impl RebuiltRun {
    /// Whether the rebuilt tables equal what the run recorded.
    pub fn agrees(&self) -> bool {
        self.recorded.as_ref().is_none_or(|recorded| *recorded == self.rebuilt)
    }
}

/// Applies the events of a run to its output tables.
pub(crate) struct RunFold {
    run: RunId,
    tables: RunTables,
    events: u64,
    recorded: Option<RunCompleted>,
    rebuilt: Option<RunCompleted>,
    input_digest: Option<String>,
    is_scenario: bool,
    requested_at: Option<Timestamp>,
    status: RunStatus,
    index: Option<EventIndex>,
}

impl RunFold {
    pub(crate) fn new(run: RunId, projectors: Projectors) -> Self {
        Self {
            run,
            tables: RunTables::of_stored_run(projectors()),
            events: 0,
            recorded: None,
            rebuilt: None,
            input_digest: None,
            is_scenario: false,
            requested_at: None,
            status: RunStatus::Pending,
            index: None,
        }
    }

    /// Also builds the index.
    fn with_index(run: RunId, projectors: Projectors) -> Self {
        Self { index: Some(EventIndex::new()), ..Self::new(run, projectors) }
    }

    /// Applies the next events, and returns the rows that no later event changes.
    pub(crate) fn apply(&mut self, batch: &[DecodedEvent]) -> Result<Vec<RowBatch>, UnknownTable> {
        for decoded in batch {
            if let RunEvent::RunCompleted(completed) = &decoded.event {
                self.rebuilt = Some(self.tables.complete_as(&completed.tables)?);
                self.recorded = Some(RunCompleted::clone(completed));
            }
            if let RunEvent::RunRequested(requested) = &decoded.event {
                self.input_digest = Some(requested.snapshot_digest.clone());
                self.is_scenario = requested.origin.scenario.is_some();
                self.requested_at = Some(decoded.recorded_at);
            }
            self.status = RunStatus::reached_with(&decoded.event);
            let recorded = decoded.recorded(self.run);
            self.tables.apply(&recorded);
            if let Some(index) = &mut self.index {
                index.apply(&recorded);
            }
            self.events = decoded.stream_version;
        }
        Ok(self.tables.drain())
    }

    /// Reads the run up to an event, and passes the rows on as they become final.
    async fn run_to(
        mut self,
        store: &dyn Store,
        at: u64,
        hashes: HashCheck,
        mut take_rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> AppResult<()>,
    ) -> AppResult<RebuiltRun> {
        let mut batches = read_checked(store, self.run, 1, at, hashes);
        while let Some(batch) = batches.try_next().await? {
            let rows = self.apply(&batch)?;
            if !rows.is_empty() {
                take_rows(rows, self.events).await?;
            }
        }
        let (rows, rebuilt) = self.finish()?;
        take_rows(rows, rebuilt.events).await?;
        Ok(rebuilt)
    }

    /// Returns the remaining rows.
    pub(crate) fn finish(mut self) -> AppResult<(Vec<RowBatch>, RebuiltRun)> {
        if self.events == 0 {
            return Err(AppError::no_run(self.run));
        }
        let rebuilt = self.rebuilt.unwrap_or_else(|| self.tables.complete());
        let history_row = self.tables.history_row();
        let rows = self.tables.finish();
        let headline = self.tables.headline().cloned();
        let covered = self.tables.digests(&rebuilt.tables)?.into_iter().cloned();
        let mut digests: Vec<TableDigest> = covered.collect();
        digests.extend(self.tables.record_digests().cloned());
        let Self {
            events, recorded, input_digest, is_scenario, requested_at, status, index, ..
        } = self;
        let rebuilt = RebuiltRun {
            events,
            recorded,
            rebuilt,
            digests,
            input_digest,
            is_scenario,
            requested_at,
            status,
            history_row,
            headline,
            index: index.map(|index| Arc::new(index.finish())),
        };
        Ok((rows, rebuilt))
    }
}

/// Makes the rows of a run's output tables, and passes them on as they become final, each time with
/// the version that they reach.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; an event cannot be
/// read; the store or `take_rows` fails.
pub async fn fold(
    store: &dyn Store,
    run: RunId,
    take_rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> AppResult<()>,
) -> AppResult<RebuiltRun> {
    fold_to(store, run, u64::MAX, take_rows).await
}

/// As [`fold`], for the run up to an event.
///
/// # Errors
/// As for [`fold`].
pub async fn fold_to(
    store: &dyn Store,
    run: RunId,
    at: u64,
    take_rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> AppResult<()>,
) -> AppResult<RebuiltRun> {
    RunFold::new(run, projectors).run_to(store, at, HashCheck::OnRead, take_rows).await
}

/// As [`fold`], with the index of the run's events.
pub(crate) async fn fold_with_index(
    store: &dyn Store,
    run: RunId,
    projectors: Projectors,
    hashes: HashCheck,
    take_rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> AppResult<()>,
) -> AppResult<RebuiltRun> {
    RunFold::with_index(run, projectors).run_to(store, u64::MAX, hashes, take_rows).await
}

/// Whether the published rows of a large table are not in the store, but built from events.
///
/// # Errors
/// The store fails.
pub async fn is_built(store: &dyn Store, table: TableRef) -> StoreResult<bool> {
    Ok(table.built_from.is_some() && !store.is_stored(table).await?)
}

/// Makes the rows of a table that is
/// [built from](powerfill_tables::table::TableSpec::built_from) one type of event, with the events
/// of this type from a version on. Passes rows on together with the version after their last event,
/// until `take_rows` breaks.
///
/// # Errors
/// An event cannot be read; the store fails.
pub async fn build_table(
    store: &dyn Store,
    run: RunId,
    table: TableRef,
    from_version: u64,
    mut take_rows: impl AsyncFnMut(RowBatch, u64) -> ControlFlow<()>,
) -> AppResult<()> {
    let mut projectors = projectors().into_iter();
    let projector = projectors.find(|projector| std::ptr::eq(projector.table(), table));
    let (Some(event_type), Some(mut projector)) = (table.built_from, projector) else {
        return Ok(());
    };
    let types = vec![event_type.name().to_owned()];
    let mut batches = read_types(store, run, from_version, types);
    while let Some(batch) = batches.try_next().await? {
        let mut rows = RowBatch::new(table);
        for decoded in &batch {
            projector.apply(&decoded.recorded(run));
        }
        projector.drain(&mut rows);
        let next = batch.last().map_or(from_version, |last| last.stream_version + 1);
        if take_rows(rows, next).await.is_break() {
            break;
        }
    }
    Ok(())
}

/// Rebuilds what the store keeps of a run. The output tables of a Complete run replace those that
/// are shown, unless it is a scenario.
///
/// # Errors
/// [`RunActive`](powerfill_ports::StoreError::RunActive) while a run is active, because its rows
/// are in the only staging area; else as for [`fold`]. The shown tables stay as they were then.
pub async fn rebuild(
    store: &dyn Store,
    run: RunId,
    large_tables: LargeTables,
) -> AppResult<RebuiltRun> {
    rebuild_with(store, ProjectionWriter::Maintenance(run), projectors, large_tables).await
}

/// As [`rebuild`], for any writer and any set of tables.
///
/// # Errors
/// As for [`rebuild`].
pub async fn rebuild_with(
    store: &dyn Store,
    writer: ProjectionWriter,
    projectors: Projectors,
    large_tables: LargeTables,
) -> AppResult<RebuiltRun> {
    let mut fold = RunFold::with_index(writer.run(), projectors);
    let (staged, left_out) = large_tables.split(&fold.tables.specs());
    let stored = |rows: Vec<RowBatch>| -> Arc<[RowBatch]> {
        rows.into_iter().filter(|batch| large_tables.stores(batch.table)).collect()
    };
    store.begin_staging(writer, &staged).await?;
    let mut batches = read_run(store, writer.run());
    while let Some(batch) = batches.try_next().await? {
        let rows = fold.apply(&batch)?;
        if !fold.is_scenario {
            store.stage(writer, stored(rows), fold.events).await?;
        }
    }
    let (rows, rebuilt) = fold.finish()?;
    if !rebuilt.is_scenario {
        store.stage(writer, stored(rows), rebuilt.events).await?;
        if rebuilt.recorded.is_some() {
            store.publish(writer, &left_out).await?;
        }
    }
    put_kept(store, writer, &rebuilt).await?;
    Ok(rebuilt)
}

/// Rebuilds what the store keeps of every run: the row of the history, the index, and what the
/// list of runs says. A run without events has none of them.
pub(crate) async fn rebuild_kept(store: &dyn Store, writer: ProjectionWriter) -> AppResult<()> {
    let run = writer.run();
    if store.stream_version(&run.stream()).await? == 0 {
        return Ok(());
    }
    let fold = fold_with_index(store, run, projectors, HashCheck::OnRead, async |_, _| Ok(()));
    let rebuilt = fold.await?;
    put_kept(store, writer, &rebuilt).await
}

async fn put_kept(
    store: &dyn Store,
    writer: ProjectionWriter,
    rebuilt: &RebuiltRun,
) -> AppResult<()> {
    if let Some(row) = &rebuilt.history_row {
        store.put_row(writer, &run_history::TABLE, row.clone()).await?;
    }
    put_headline(store, writer.run(), rebuilt).await?;
    // The index is the last: if it is there, the rest is too.
    if let Some(index) = &rebuilt.index {
        store.put_index(writer, Arc::clone(index)).await?;
    }
    Ok(())
}

/// Keeps what the list of runs says about a run.
pub(crate) async fn put_headline(
    store: &dyn Store,
    run: RunId,
    rebuilt: &RebuiltRun,
) -> AppResult<()> {
    if let Some(mut headline) = rebuilt.headline.clone() {
        headline.certificate = recorded_certificate(store, run).await?;
        store.put_headline(run, &headline).await?;
    }
    let annotations = read_annotations(store, run).await?;
    if annotations.version > 0 {
        store.put_annotation_head(run, &AnnotationHead::from(&annotations)).await?;
    }
    Ok(())
}
