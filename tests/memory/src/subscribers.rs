//! The positions of subscribers.

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::retention::RetentionStore;
use powerfill_ports::subscribers::SubscriberStore;

use crate::MemoryStore;

#[async_trait]
impl SubscriberStore for MemoryStore {
    async fn subscriber(&self, name: &str) -> StoreResult<Option<u64>> {
        Ok(self.state().subscribers.get(name).copied())
    }

    async fn subscribers(&self) -> StoreResult<Vec<(String, u64)>> {
        Ok(self.state().subscribers.iter().map(|(name, at)| (name.clone(), *at)).collect())
    }

    async fn advance(&self, name: &str, before: Option<u64>, position: u64) -> StoreResult<bool> {
        let mut state = self.state();
        let has_position = state.subscribers.get(name).copied() == before;
        if has_position {
            state.subscribers.insert(name.to_owned(), position);
        }
        Ok(has_position)
    }
}

impl RetentionStore for MemoryStore {}
