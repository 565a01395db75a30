//! The whole list of runs, which only tests read at once.

use futures::TryStreamExt;
use powerfill_ports::StoreResult;
use powerfill_ports::runs::{QueuedRun, RunFilter, RunStore, stream_runs};

/// Reads all runs of a store.
pub trait AllRuns {
    /// The runs, newest first.
    ///
    /// # Errors
    /// If the store fails.
    fn all_runs(&self) -> impl Future<Output = StoreResult<Vec<QueuedRun>>> + Send;
}

impl<S: RunStore + ?Sized> AllRuns for S {
    async fn all_runs(&self) -> StoreResult<Vec<QueuedRun>> {
        stream_runs(self, RunFilter::All).try_collect().await
    }
}
