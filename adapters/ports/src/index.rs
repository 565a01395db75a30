//! Where the index of a run's events is kept (specification 3.3): which events concern which loan
//! and trade, so that a story is told without reading the whole stream.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use powerfill_events::run::RunId;
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, Versions};

use crate::StoreError;
use crate::runs::ProjectionWriter;

/// What made an index, and how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexState {
    /// The `PROJECTOR_VERSION` that made it. Another one may have listed other events: its index is
    /// not to be read.
    pub projector_version: u32,
    /// The version of the stream that it reaches up to.
    pub up_to_version: u64,
}

/// The events of some subjects, all of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedVersions {
    /// Of the index that was read.
    pub state: IndexState,
    /// One for each subject that was asked for, in that order; empty for one that no event
    /// concerns.
    pub versions: Vec<Versions>,
}

/// Entries of an index, a batch at a time.
pub type EntryBatches<'a> = BoxStream<'a, Result<Vec<IndexEntry>, StoreError>>;

/// The most entries in a batch of a reader.
pub const ENTRIES_PER_BATCH: usize = 2_000;

/// The indexes of one tenant's runs.
#[async_trait]
pub trait IndexStore: Send + Sync {
    /// Keeps the index of a run in place of its former one: all entries, with how far they reach,
    /// or nothing.
    ///
    /// It is written whole, when a run is over: the events of one loan are all over the stream,
    /// since candidates come by rank, so that writing it piece by piece would write every entry
    /// many times.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the run has no events; or the writer may not write, or the
    /// store fails. The former index stays then.
    async fn put_index(
        &self,
        writer: ProjectionWriter,
        index: Arc<RunIndex>,
    ) -> Result<(), StoreError>;

    /// The events of these subjects; `None` where the run has no index.
    ///
    /// # Errors
    /// Where the store fails.
    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> Result<Option<IndexedVersions>, StoreError>;

    /// The runs that have an index, by run id.
    ///
    /// # Errors
    /// Where the store fails.
    async fn indexed_runs(&self) -> Result<Vec<(RunId, IndexState)>, StoreError>;

    /// All entries of a run's index, by subject; of a run without one, none.
    fn index_entries(&self, run: RunId) -> EntryBatches<'_>;
}
