//! The event indexes of runs (specification 3.3): which events concern which loan and trade, so
//! that a story needs only a part of the stream.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use powerfill_events::run::RunId;
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, Versions};

use crate::StoreResult;
use crate::lease::ProjectionWriter;

/// The version of the projector that made an index, and how far the index reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexState {
    /// The `PROJECTOR_VERSION` that made it. An index of another version must not be read, because
    /// it may list other events.
    pub projector_version: u32,
    /// The version of the last event that it covers.
    pub up_to_version: u64,
}

/// The events of some subjects, read from one state of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedVersions {
    /// The state of the index that was read.
    pub state: IndexState,
    /// Per subject, in the order of the call; empty if no event concerns the subject.
    pub versions: Vec<Versions>,
}

/// Entries of an index, one batch at a time.
pub type EntryBatches<'a> = BoxStream<'a, StoreResult<Vec<IndexEntry>>>;

/// The most entries in a batch of a reader.
pub const ENTRIES_PER_BATCH: usize = 2_000;

/// The indexes of one tenant's runs.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait IndexStore: Send + Sync {
    /// Replaces the index of a run, whole or not at all.
    ///
    /// It is written once, when a run is over. The events of a loan are spread over the stream,
    /// because candidates are ordered by rank, so that writing the index in parts would write every
    /// entry many times.
    ///
    /// # Errors
    /// [`NotFound`](crate::StoreError::NotFound) if the run has no events; the writer may not
    /// write; the store fails. The former index then stays.
    async fn put_index(&self, writer: ProjectionWriter, index: Arc<RunIndex>) -> StoreResult<()>;

    /// The events of these subjects; `None` if the run has no index.
    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> StoreResult<Option<IndexedVersions>>;

    /// The runs that have an index, ordered by run id.
    async fn indexed_runs(&self) -> StoreResult<Vec<(RunId, IndexState)>>;

    /// All entries of a run's index, ordered by subject; none if the run has no index.
    fn index_entries(&self, run: RunId) -> EntryBatches<'_>;
}
