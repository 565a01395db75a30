//! The store in memory, against the suite.

use powerfill_memory::MemoryStore;
use powerfill_tests::store_suite::StoreLocation;

struct Memory(MemoryStore);

impl StoreLocation for Memory {
    type Store = MemoryStore;

    async fn open(&self) -> MemoryStore {
        self.0.clone()
    }
}

powerfill_tests::store_suite!(Memory(MemoryStore::new()));
