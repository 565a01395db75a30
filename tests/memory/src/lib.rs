//! A store in memory, for tests and simulations. It implements the same ports with the same
//! results, and keeps nothing when it is dropped.
//!
//! All state is behind one lock: a call does everything or nothing, like a transaction.

mod copying;
mod index;
mod log;
mod outputs;
mod queue;
mod run_list;
mod subscribers;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use powerfill_ports::snapshot_codec::CheckedSnapshot;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::{StoreError, StoreResult};
use tokio::sync::watch;

/// The store of one tenant. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The last position. A change wakes the subscribers.
    position: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    log: log::Log,
    snapshots: BTreeMap<String, Vec<u8>>,
    outputs: outputs::Outputs,
    indexes: index::Indexes,
    queue: queue::Queue,
    subscribers: BTreeMap<String, u64>,
    headlines: BTreeMap<powerfill_events::run::RunId, powerfill_ports::run_list::KeptHeadline>,
    verified: Option<powerfill_ports::events::LogHead>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }
}

#[async_trait]
impl SnapshotStore for MemoryStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> StoreResult<bool> {
        CheckedSnapshot::new(digest, canonical)?;
        let mut state = self.state();
        if state.snapshots.contains_key(digest) {
            return Ok(false);
        }
        state.snapshots.insert(digest.to_owned(), canonical.to_vec());
        Ok(true)
    }

    async fn captured(&self, digest: &str) -> StoreResult<Vec<u8>> {
        let not_found = || StoreError::NotFound { what: "snapshot", name: digest.to_owned() };
        self.state().snapshots.get(digest).cloned().ok_or_else(not_found)
    }
}
