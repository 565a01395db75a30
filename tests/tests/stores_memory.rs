//! The suite with the store in memory.

use powerfill_memory::MemoryStore;
use powerfill_tests::store_suite::StoreLocation;

struct InMemory(MemoryStore);

impl StoreLocation for InMemory {
    type Store = MemoryStore;

    async fn open(&self) -> MemoryStore {
        self.0.clone()
    }
}

powerfill_tests::store_suite!(InMemory(MemoryStore::new()));
