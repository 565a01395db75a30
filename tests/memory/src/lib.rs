//! A store in memory, for tests and simulations: the same ports, the same answers, nothing kept when it goes.
//!
//! All state is behind one lock; a call that returns has done all of it or nothing, as a transaction would.

mod copying;
mod index;
mod log;
mod outputs;
mod queue;
mod subscribers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use powerfill_ports::StoreError;
use powerfill_ports::snapshots::SnapshotStore;
use tokio::sync::watch;

/// The store of one tenant. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The last position, to wake subscribers.
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

    /// A panic elsewhere leaves the state as the last whole call made it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SnapshotStore for MemoryStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError> {
        let found = blake3::hash(canonical).to_hex();
        if found.as_str() != digest {
            return Err(StoreError::Failed(format!(
                "the snapshot's digest is {found}, not {digest}; it was not stored"
            )));
        }
        let mut state = self.state();
        if state.snapshots.contains_key(digest) {
            return Ok(false);
        }
        state.snapshots.insert(digest.to_owned(), canonical.to_vec());
        Ok(true)
    }

    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let not_found = || StoreError::NotFound { what: "snapshot", name: digest.to_owned() };
        self.state().snapshots.get(digest).cloned().ok_or_else(not_found)
    }
}
