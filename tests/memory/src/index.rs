//! The event indexes of runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::index::{
    ENTRIES_PER_BATCH, EntryBatches, IndexState, IndexStore, IndexedVersions,
};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, Versions};

use crate::MemoryStore;

/// The index of each run.
pub(crate) type Indexes = BTreeMap<RunId, Arc<RunIndex>>;

fn state(index: &RunIndex) -> IndexState {
    let RunIndex { projector_version, up_to_version, .. } = *index;
    IndexState { projector_version, up_to_version }
}

fn versions_of(index: &RunIndex, subject: &Subject) -> Versions {
    let found = index.entries.binary_search_by(|entry| entry.subject.cmp(subject));
    found.map_or_else(|_| Versions::default(), |at| index.entries[at].versions.clone())
}

#[async_trait]
impl IndexStore for MemoryStore {
    async fn put_index(&self, writer: ProjectionWriter, index: Arc<RunIndex>) -> StoreResult<()> {
        let (mut store, run) = (self.state(), writer.run());
        store.queue.ensure_may_write(writer)?;
        if store.log.version(&run.stream()) == 0 {
            return Err(StoreError::NotFound { what: "run", name: run.to_string() });
        }
        store.indexes.insert(run, index);
        Ok(())
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> StoreResult<Option<IndexedVersions>> {
        let index = self.state().indexes.get(&run).cloned();
        Ok(index.map(|index| IndexedVersions {
            state: state(&index),
            versions: subjects.iter().map(|subject| versions_of(&index, subject)).collect(),
        }))
    }

    async fn indexed_runs(&self) -> StoreResult<Vec<(RunId, IndexState)>> {
        Ok(self.state().indexes.iter().map(|(run, index)| (*run, state(index))).collect())
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        let index = self.state().indexes.get(&run).cloned();
        let entries = index.map_or_else(Vec::new, |index| index.entries.clone());
        let batches: Vec<Vec<IndexEntry>> =
            entries.chunks(ENTRIES_PER_BATCH).map(<[_]>::to_vec).collect();
        stream::iter(batches.into_iter().map(Ok)).boxed()
    }
}
