//! A run as of any of its events (specification 3.4): how full its trades were, which loans had a place so far.

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::summary::RunSummary;

use crate::RunnerError;
use crate::stored::{Read, read_versions, recorded};

/// The most states that are kept: 256 of a demo book take some 40 MB.
const STATES: u64 = 256;
/// Fewer events than this are read again as fast as a state is copied.
const LEAST_BETWEEN: u64 = 256;

/// A run as it stood after an event.
#[derive(Debug, Clone)]
pub struct AsOf {
    /// The run so far.
    pub summary: RunSummary,
    /// The event.
    pub event: Read,
}

/// A run that can be looked at after any of its events, in any order. It reads the stream once and keeps the state
/// after every so many events; a look reads the few events since.
pub struct Timeline<'s, S: ?Sized> {
    store: &'s S,
    run: RunId,
    events: u64,
    /// How many events lie between two states.
    between: u64,
    /// After no event, after `between`, after twice that, …
    states: Vec<RunSummary>,
}

impl<'s, S: Store + ?Sized> Timeline<'s, S> {
    /// Reads a run as far as it goes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the run has no events; where an event cannot be read or the store fails.
    pub async fn open(store: &'s S, run: RunId) -> Result<Self, RunnerError> {
        let events = length(store, run).await?;
        let between = events.div_ceil(STATES).max(LEAST_BETWEEN);
        let mut state = RunSummary::new(run);
        let mut states = vec![state.clone()];
        let mut batches = read_versions(store, run, 1, events);
        while let Some(batch) = batches.try_next().await? {
            for read in &batch {
                state.apply(&recorded(run, read));
                if state.events.is_multiple_of(between) {
                    states.push(state.clone());
                }
            }
        }
        Ok(Self { store, run, events, between, states })
    }

    /// How many events the run has.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The run after this event.
    ///
    /// # Errors
    /// [`RunnerError::NoSuchEvent`] where it has no such event; or as [`Timeline::open`].
    pub async fn at(&self, event: u64) -> Result<AsOf, RunnerError> {
        if event == 0 || event > self.events {
            return Err(no_such_event(self.run, event, self.events));
        }
        // The event itself is always read, since it is part of the answer.
        let state = (event - 1) / self.between;
        let from = state * self.between;
        let state = self.states[usize::try_from(state).unwrap_or_default()].clone();
        read_on(self.store, self.run, state, from + 1, event).await
    }
}

/// A run after one event, read from the beginning of its stream: for a single look.
///
/// # Errors
/// As [`Timeline::at`].
pub async fn as_of<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    event: u64,
) -> Result<AsOf, RunnerError> {
    check_event(store, run, event).await?;
    read_on(store, run, RunSummary::new(run), 1, event).await
}

/// Whether the run has the event.
///
/// # Errors
/// [`RunnerError::NoSuchEvent`]; [`StoreError::NotFound`] where it has none at all.
pub async fn check_event<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    event: u64,
) -> Result<(), RunnerError> {
    let events = length(store, run).await?;
    if event == 0 || event > events {
        return Err(no_such_event(run, event, events));
    }
    Ok(())
}

const fn no_such_event(run: RunId, event: u64, events: u64) -> RunnerError {
    RunnerError::NoSuchEvent { run, event, events }
}

async fn length<S: Store + ?Sized>(store: &S, run: RunId) -> Result<u64, RunnerError> {
    match store.stream_version(&run.stream()).await? {
        0 => Err(StoreError::NotFound { what: "run", name: run.to_string() }.into()),
        events => Ok(events),
    }
}

/// Takes a state further, from one event to another.
async fn read_on<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    mut summary: RunSummary,
    from: u64,
    to: u64,
) -> Result<AsOf, RunnerError> {
    let mut last = None;
    let mut batches = read_versions(store, run, from, to);
    while let Some(batch) = batches.try_next().await? {
        for read in batch {
            summary.apply(&recorded(run, &read));
            last = Some(read);
        }
    }
    match last {
        Some(event) => Ok(AsOf { summary, event }),
        None => Err(no_such_event(run, to, summary.events)),
    }
}
