//! A run after any of its events (specification 3.4): how full the trades were, and where the loans
//! were.

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::events::StoredEvent;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::summary::RunSummary;

use crate::events::{DecodedEvent, read_stored, read_versions};
use crate::{AppError, AppResult};

/// The most states that a timeline keeps: 256 states of a demo book take about 40 MB.
const MAX_STATES: u64 = 256;
/// Reading this many events takes as long as copying a state.
const MIN_INTERVAL: u64 = 256;

/// A run after an event.
#[derive(Debug, Clone)]
pub struct RunAtEvent {
    /// The run up to the event, which is included.
    pub summary: RunSummary,
    /// The event.
    pub event: DecodedEvent,
}

impl RunAtEvent {
    /// The event as it is stored.
    ///
    /// # Errors
    /// The store fails.
    pub async fn stored(&self, store: &dyn Store) -> AppResult<StoredEvent> {
        let (run, version) = (self.summary.run_id, self.event.stream_version);
        let stored = read_stored(store, run, version).await?;
        stored.ok_or_else(|| StoreError::missing_event(&run.stream(), version).into())
    }
}

/// Shows a run after any of its events, in any order. It reads the stream once and keeps states at
/// regular intervals; each look reads the few events since the last state before it.
pub struct Timeline<'s> {
    store: &'s dyn Store,
    run: RunId,
    events: u64,
    /// Events between two states.
    interval: u64,
    /// The states after 0, `interval`, 2 × `interval`, … events.
    states: Vec<RunSummary>,
}

impl<'s> Timeline<'s> {
    /// Reads a run up to its present end.
    ///
    /// # Errors
    /// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; an event
    /// cannot be read; the store fails.
    pub async fn open(store: &'s dyn Store, run: RunId) -> AppResult<Self> {
        let events = event_count(store, run).await?;
        let interval = events.div_ceil(MAX_STATES).max(MIN_INTERVAL);
        let mut state = RunSummary::new(run);
        let mut states = vec![state.clone()];
        let mut batches = read_versions(store, run, 1, events);
        while let Some(batch) = batches.try_next().await? {
            for event in &batch {
                state.apply(&event.recorded(run));
                if state.events.is_multiple_of(interval) {
                    states.push(state.clone());
                }
            }
        }
        Ok(Self { store, run, events, interval, states })
    }

    /// The number of events.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The run after this event.
    ///
    /// # Errors
    /// [`AppError::NoSuchEvent`]; else as for [`Timeline::open`].
    pub async fn at(&self, event: u64) -> AppResult<RunAtEvent> {
        check_number(self.run, event, self.events)?;
        // The event itself is always read, because the result contains it.
        let state = (event - 1) / self.interval;
        let from = state * self.interval + 1;
        let state = self.states[usize::try_from(state).unwrap_or_default()].clone();
        read_on(self.store, self.run, state, from, event).await
    }
}

/// The run after one event, read from the beginning of its stream: cheaper than a [`Timeline`] for
/// a single look.
///
/// # Errors
/// As for [`Timeline::at`].
pub async fn run_at_event(store: &dyn Store, run: RunId, event: u64) -> AppResult<RunAtEvent> {
    check_event(store, run, event).await?;
    read_on(store, run, RunSummary::new(run), 1, event).await
}

/// Checks that the run has the event.
///
/// # Errors
/// As for [`Timeline::at`].
pub async fn check_event(store: &dyn Store, run: RunId, event: u64) -> AppResult<()> {
    check_number(run, event, event_count(store, run).await?)
}

const fn check_number(run: RunId, event: u64, events: u64) -> AppResult<()> {
    match event {
        1.. if event <= events => Ok(()),
        _ => Err(AppError::NoSuchEvent { run, event, events }),
    }
}

async fn event_count(store: &dyn Store, run: RunId) -> AppResult<u64> {
    match store.stream_version(&run.stream()).await? {
        0 => Err(AppError::no_run(run)),
        events => Ok(events),
    }
}

/// Applies the events between two versions, both included, to a state.
async fn read_on(
    store: &dyn Store,
    run: RunId,
    mut summary: RunSummary,
    from: u64,
    to: u64,
) -> AppResult<RunAtEvent> {
    let mut last = None;
    let mut batches = read_versions(store, run, from, to);
    while let Some(batch) = batches.try_next().await? {
        for event in batch {
            summary.apply(&event.recorded(run));
            last = Some(event);
        }
    }
    match last {
        Some(event) => Ok(RunAtEvent { summary, event }),
        None => Err(AppError::NoSuchEvent { run, event: to, events: summary.events }),
    }
}
