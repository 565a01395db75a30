//! What copying a whole store needs in addition to the other ports.

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend, ensure_run_ended};
use powerfill_ports::events::LogHead;
use powerfill_ports::runs::QueuedRun;

use crate::MemoryStore;

#[async_trait]
impl CopyStore for MemoryStore {
    async fn appends_after(&self, seq: u64) -> StoreResult<Vec<StoredAppend>> {
        Ok(self.state().log.appends_after(seq as usize, APPENDS_PER_BATCH))
    }

    async fn snapshot_digests(&self) -> StoreResult<Vec<String>> {
        Ok(self.state().snapshots.keys().cloned().collect())
    }

    async fn verified_log(&self) -> StoreResult<Option<LogHead>> {
        Ok(self.state().verified)
    }

    async fn set_verified_log(&self, head: LogHead) -> StoreResult<()> {
        self.state().verified = Some(head);
        Ok(())
    }

    async fn put_ended_run(&self, run: QueuedRun) -> StoreResult<()> {
        ensure_run_ended(&run)?;
        self.state().queue.put(run);
        Ok(())
    }
}
