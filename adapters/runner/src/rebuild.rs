//! Making the output tables, and the index of a run's events, anew from stored events (specification 3.3).

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_domain::run::event::RunCompleted;
use powerfill_domain::run::{Recorded, RunEvent, RunId};
use powerfill_ports::events::StoredEvent;
use powerfill_ports::{Store, StoreError};
use powerfill_projections::RunTables;
use powerfill_projections::event_index::{EventIndex, RunIndex};
use powerfill_projections::table::{Cell, RowBatch};
use powerfill_projections::tables::run_history;

use crate::RunnerError;
use crate::stored::read_run;

/// What a rebuild came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Events that were read.
    pub events: u64,
    /// What `RunCompleted` says; `None` where the run is not Complete.
    pub recorded: Option<RunCompleted>,
    /// What the rebuilt tables amount to.
    pub rebuilt: RunCompleted,
}

impl Rebuilt {
    /// Whether the rebuilt tables are what the run recorded.
    pub fn agrees(&self) -> bool {
        self.recorded.as_ref().is_none_or(|recorded| *recorded == self.rebuilt)
    }
}

/// The tables of a run as far as its events were read.
struct Folding {
    run: RunId,
    tables: RunTables,
    /// The index, and the version that it is to reach up to, where it is wanted.
    index: Option<(EventIndex, u64)>,
    events: u64,
    recorded: Option<RunCompleted>,
    rebuilt: Option<RunCompleted>,
}

impl Folding {
    fn new(run: RunId) -> Self {
        let (index, recorded, rebuilt) = (None, None, None);
        Self { run, tables: RunTables::new(), index, events: 0, recorded, rebuilt }
    }

    /// With the index of the events up to this version.
    fn with_index(run: RunId, up_to_version: u64) -> Self {
        Self { index: Some((EventIndex::new(), up_to_version)), ..Self::new(run) }
    }

    /// Takes the next events; gives the rows that no later event changes.
    fn take(&mut self, batch: &[(StoredEvent, RunEvent)]) -> Vec<RowBatch> {
        for (stored, event) in batch {
            if let RunEvent::RunCompleted(completed) = event {
                self.rebuilt = Some(self.tables.complete());
                self.recorded = Some(RunCompleted::clone(completed));
            }
            let recorded = Recorded {
                run_id: self.run,
                stream_version: stored.stream_version,
                recorded_at: stored.recorded_at,
                actor: &stored.actor,
                event,
            };
            self.tables.apply(&recorded);
            if let Some((index, up_to_version)) = &mut self.index
                && recorded.stream_version <= *up_to_version
            {
                index.apply(&recorded);
            }
            self.events = stored.stream_version;
        }
        self.tables.drain()
    }

    /// The index, where it was wanted.
    fn take_index(&mut self) -> Option<Arc<RunIndex>> {
        self.index.take().map(|(index, _)| Arc::new(index.finish()))
    }

    /// The rest of the rows.
    fn finish(mut self) -> Result<(Vec<RowBatch>, Rebuilt), RunnerError> {
        if self.events == 0 {
            let name = self.run.to_string();
            return Err(StoreError::NotFound { what: "run", name }.into());
        }
        let rebuilt = self.rebuilt.unwrap_or_else(|| self.tables.complete());
        let rows = self.tables.finish();
        Ok((rows, Rebuilt { events: self.events, recorded: self.recorded, rebuilt }))
    }
}

/// Folds a run's events into its tables and hands the rows over as they become final.
///
/// # Errors
/// Where the run does not exist, an event cannot be read, the store or `rows` fails.
pub async fn fold<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    mut rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> Result<(), RunnerError>,
) -> Result<Rebuilt, RunnerError> {
    let mut folding = Folding::new(run);
    let mut batches = read_run(store, run);
    while let Some(batch) = batches.try_next().await? {
        let ready = folding.take(&batch);
        if !ready.is_empty() {
            rows(ready, folding.events).await?;
        }
    }
    let (rest, rebuilt) = folding.finish()?;
    rows(rest, rebuilt.events).await?;
    Ok(rebuilt)
}

/// Rebuilds the tables of a Complete run and shows them in place of what is shown; of any run, the index of its events.
///
/// # Errors
/// [`StoreError::RunActive`] while a run goes on, whose rows are in the one staging area; else as [`fold`]. What is
/// shown stays as it was then.
pub async fn rebuild<S: Store + ?Sized>(store: &S, run: RunId) -> Result<Rebuilt, RunnerError> {
    let runs = store.runs().await?;
    if let Some(active) = runs.iter().find(|queued| !queued.status.is_over()) {
        return Err(StoreError::RunActive(active.run_id).into());
    }
    rebuild_own(store, run).await
}

/// As [`rebuild`], for whoever has the active run.
pub(crate) async fn rebuild_own<S: Store + ?Sized>(
    store: &S,
    run: RunId,
) -> Result<Rebuilt, RunnerError> {
    store.begin_staging(run, RunTables::specs()).await?;
    let mut folding = Folding::with_index(run, u64::MAX);
    let mut batches = read_run(store, run);
    while let Some(batch) = batches.try_next().await? {
        let ready = folding.take(&batch);
        store.stage(run, ready, folding.events).await?;
    }
    let index = folding.take_index();
    let history = folding.tables.history_row();
    let (rest, rebuilt) = folding.finish()?;
    store.stage(run, rest, rebuilt.events).await?;
    if rebuilt.recorded.is_some() {
        store.publish(run).await?;
    }
    put(store, run, Anew { history, index }).await?;
    Ok(rebuilt)
}

/// What is kept of every run, made anew from its events.
pub(crate) struct Anew {
    /// The run's row of the history; a run without events has none.
    pub(crate) history: Option<Vec<Cell>>,
    /// The index of its events, up to the version that was asked for.
    pub(crate) index: Option<Arc<RunIndex>>,
}

/// Makes anew what is kept of a run: its row of the history, and the index of its events.
///
/// # Errors
/// As [`fold`], but for a run without events, which has neither.
pub async fn kept<S: Store + ?Sized>(store: &S, run: RunId) -> Result<(), RunnerError> {
    let anew = anew(store, run, u64::MAX).await?;
    put(store, run, anew).await
}

async fn put<S: Store + ?Sized>(store: &S, run: RunId, anew: Anew) -> Result<(), RunnerError> {
    if let Some(row) = anew.history {
        store.put_row(run, &run_history::TABLE, row).await?;
    }
    if let Some(index) = anew.index.filter(|index| index.up_to_version > 0) {
        store.put_index(run, index).await?;
    }
    Ok(())
}

/// What is to be kept of a run, from its events; the index from those up to a version.
///
/// # Errors
/// As [`fold`], but for a run without events.
pub(crate) async fn anew<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    index_up_to: u64,
) -> Result<Anew, RunnerError> {
    let mut folding = Folding::with_index(run, index_up_to);
    let mut batches = read_run(store, run);
    while let Some(batch) = batches.try_next().await? {
        folding.take(&batch);
    }
    Ok(Anew { index: folding.take_index(), history: folding.tables.history_row() })
}
