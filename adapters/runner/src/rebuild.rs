//! Making the output tables anew from stored events (specification 3.3).

use futures::TryStreamExt;
use powerfill_domain::run::event::RunCompleted;
use powerfill_domain::run::{Recorded, RunEvent, RunId};
use powerfill_ports::{Store, StoreError};
use powerfill_projections::RunTables;
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

/// Folds a run's events into its tables and hands the rows over as they become final.
///
/// # Errors
/// Where the run does not exist, an event cannot be read, the store or `rows` fails.
pub async fn fold<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    mut rows: impl AsyncFnMut(Vec<RowBatch>, u64) -> Result<(), RunnerError>,
) -> Result<Rebuilt, RunnerError> {
    let mut tables = RunTables::new();
    let (mut events, mut recorded, mut rebuilt) = (0, None, None);
    let mut batches = read_run(store, run);
    while let Some(batch) = batches.try_next().await? {
        for (stored, event) in &batch {
            if let RunEvent::RunCompleted(completed) = event {
                rebuilt = Some(tables.complete());
                recorded = Some(RunCompleted::clone(completed));
            }
            tables.apply(&Recorded {
                run_id: run,
                stream_version: stored.stream_version,
                recorded_at: stored.recorded_at,
                actor: &stored.actor,
                event,
            });
            events = stored.stream_version;
        }
        let ready = tables.drain();
        if !ready.is_empty() {
            rows(ready, events).await?;
        }
    }
    if events == 0 {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() }.into());
    }
    let rebuilt = rebuilt.unwrap_or_else(|| tables.complete());
    rows(tables.finish(), events).await?;
    Ok(Rebuilt { events, recorded, rebuilt })
}

/// Rebuilds the tables of a Complete run and shows them in place of what is shown.
///
/// # Errors
/// As [`fold`]; what is shown stays as it was then.
pub async fn rebuild<S: Store + ?Sized>(store: &S, run: RunId) -> Result<Rebuilt, RunnerError> {
    store.begin_staging(run, RunTables::specs()).await?;
    let rebuilt = fold(store, run, async |rows, up_to| {
        store.stage(run, rows, up_to).await.map_err(RunnerError::from)
    })
    .await?;
    if rebuilt.recorded.is_some() {
        store.publish(run).await?;
    }
    history(store, run).await?;
    Ok(rebuilt)
}

/// Rebuilds the run's row of the history.
///
/// # Errors
/// As [`fold`].
pub async fn history<S: Store + ?Sized>(store: &S, run: RunId) -> Result<(), RunnerError> {
    if let Some(row) = history_row(store, run).await? {
        store.put_row(run, &run_history::TABLE, row).await?;
    }
    Ok(())
}

/// The run's row of the history, from its events.
///
/// # Errors
/// As [`fold`].
pub(crate) async fn history_row<S: Store + ?Sized>(
    store: &S,
    run: RunId,
) -> Result<Option<Vec<Cell>>, RunnerError> {
    let mut row = None;
    fold(store, run, async |rows, _| {
        let found = rows.into_iter().find(|batch| std::ptr::eq(batch.table, &run_history::TABLE));
        row = found.map(|batch| batch.cells).or(row.take());
        Ok(())
    })
    .await?;
    Ok(row)
}
