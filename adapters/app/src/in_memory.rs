//! Runs that are decided in memory and recorded nowhere: tries, and what a comparison asks the
//! engine (specification 8.1).

use std::sync::Arc;

use powerfill_engine::{Cancelled, GivenPlacement, SPEC_VERSION};
use powerfill_events::run::event::{RunFailed, RunOrigin, RunRequested};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::Store;
use powerfill_snapshot::{RunOptions, Snapshot};
use powerfill_tables::RunTables;
use powerfill_tables::summary::RunSummary;
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::Projector;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::events::run_input;
use crate::run::decide::decide_here;
use crate::run::messages::{DecisionEnd, DecisionInput, EventChunk};
use crate::run::panicked;
use crate::{AppResult, NoObserver, RunControl};

/// The run id in the events of a run in memory, which no store has.
const RUN_ID: RunId = RunId(Uuid::nil());
/// The actor of its events.
const ACTOR: &str = "powerfill";

/// The captured snapshot of a run, and its request.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; its request or its
/// captured snapshot cannot be read; the store fails.
pub async fn read_input(
    store: &dyn Store,
    run: RunId,
) -> AppResult<(Arc<Snapshot>, Box<RunRequested>)> {
    let (requested, canonical) = run_input(store, run).await?;
    let read = spawn_blocking(move || Snapshot::from_canonical(&canonical));
    let snapshot = read.await.map_err(|panic| panicked(&panic))??;
    Ok((Arc::new(snapshot), requested))
}

/// A run that was decided and checked in memory, as a worker does it: the same events in the same
/// order as those of a recorded run on the same input.
///
/// It reads no clock: the time of every event is the start of the run's `as_of`. Its
/// `RunRequested` names no captured snapshot.
pub struct InMemoryRun {
    chunks: Vec<EventChunk>,
    recorded_at: Timestamp,
}

impl InMemoryRun {
    /// Decides a run on the calling thread, in the time of the engine and of the checks. A run that
    /// preflight or the checks refuse is a result, whose [`failure`](Self::failure) says why.
    ///
    /// # Errors
    /// [`Cancelled`] if `control` stops the run.
    pub fn decide(
        snapshot: &Arc<Snapshot>,
        options: &RunOptions,
        control: &RunControl,
    ) -> Result<Self, Cancelled> {
        Self::decide_by(snapshot, options, None, control)
    }

    /// As [`decide`](Self::decide), with the allocation of a challenger in place of the passes
    /// (10.7).
    ///
    /// # Errors
    /// [`Cancelled`] if `control` stops the run.
    pub fn decide_given(
        snapshot: &Arc<Snapshot>,
        options: &RunOptions,
        given: Vec<GivenPlacement>,
        control: &RunControl,
    ) -> Result<Self, Cancelled> {
        Self::decide_by(snapshot, options, Some(given), control)
    }

    fn decide_by(
        snapshot: &Arc<Snapshot>,
        options: &RunOptions,
        given: Option<Vec<GivenPlacement>>,
        control: &RunControl,
    ) -> Result<Self, Cancelled> {
        let as_of = options.as_of.unwrap_or(snapshot.header.as_of);
        let input = DecisionInput {
            run: RUN_ID,
            requested: RunRequested {
                tenant_id: TenantId::from(&snapshot.header.tenant_id),
                options: RunOptions { as_of: Some(as_of), ..options.clone() },
                requested_by: ACTOR.to_owned(),
                snapshot_digest: String::new(),
                spec_version: SPEC_VERSION.to_owned(),
                source_warnings: Vec::new(),
                mapping: None,
                origin: RunOrigin::default(),
            },
            given,
            snapshot: Arc::clone(snapshot),
            observer: Arc::new(NoObserver),
            control: control.clone(),
            certifier: None,
        };
        match decide_here(&input) {
            (_, DecisionEnd::Stopped(step)) => Err(Cancelled(step)),
            (chunks, DecisionEnd::Complete | DecisionEnd::Failed) => {
                Ok(Self { chunks, recorded_at: Timestamp::start_of(as_of) })
            }
        }
    }

    /// The events, in order, up to `RunFailed` or to those of the checks. `RunCompleted` is there
    /// only after [`complete`](Self::complete), because it needs every row of the output tables.
    pub fn events(&self) -> impl Iterator<Item = RecordedEvent<'_>> {
        let events = self.chunks.iter().flat_map(|chunk| chunk.iter());
        (1..).zip(events).map(|(stream_version, event)| RecordedEvent {
            run_id: RUN_ID,
            stream_version,
            recorded_at: self.recorded_at,
            actor: ACTOR,
            event,
        })
    }

    /// The failure of a run that preflight or the checks refuse.
    pub fn failure(&self) -> Option<&RunFailed> {
        match self.chunks.last()?.last()? {
            RunEvent::RunFailed(failed) => Some(failed),
            _ => None,
        }
    }

    /// The summary after the events.
    pub fn summary(&self) -> RunSummary {
        let mut summary = RunSummary::new(RUN_ID);
        self.events().for_each(|event| summary.apply(&event));
        summary
    }

    /// The rows of some tables, without the time that the others take: those of
    /// [`value_summary`](powerfill_tables::tables::value_summary), for instance.
    pub fn rows_of(&self, mut projectors: Vec<Box<dyn Projector>>) -> Vec<RowBatch> {
        for event in self.events() {
            for projector in &mut projectors {
                projector.apply(&event);
            }
        }
        let rows = projectors.iter().map(|projector| {
            let mut rows = RowBatch::new(projector.table());
            projector.rows(&mut rows);
            rows
        });
        rows.collect()
    }

    /// Makes every output table, ends the events of a run that did not fail with `RunCompleted`,
    /// and returns the rows of the tables that have any. The output digest is that of a recorded
    /// run on the same input.
    pub fn complete(&mut self) -> Vec<RowBatch> {
        let mut tables = RunTables::new();
        self.events().for_each(|event| tables.apply(&event));
        let is_over =
            self.chunks.last().and_then(|chunk| chunk.last()).is_some_and(RunEvent::is_terminal);
        if !is_over {
            let completed = RunEvent::RunCompleted(Box::new(tables.complete()));
            self.chunks.push(Arc::new(vec![completed]));
            if let Some(event) = self.events().last() {
                tables.apply(&event);
            }
        }
        tables.finish()
    }
}
