//! Work on other tasks and threads.

use std::pin::Pin;

use powerfill_ports::{StoreError, StoreFault, StoreResult};

/// Runs a future to its end, even if the caller drops this one after its first poll.
pub(crate) async fn run_detached<T: Send + 'static>(
    work: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    // Boxed: the task is compiled once per type of its result.
    let work: Pin<Box<dyn Future<Output = StoreResult<T>> + Send>> = Box::pin(work);
    tokio::spawn(work).await.map_err(panicked)?
}

/// Runs work on a thread that may block.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    let work: Box<dyn FnOnce() -> StoreResult<T> + Send> = Box::new(work);
    tokio::task::spawn_blocking(work).await.map_err(panicked)?
}

fn panicked(error: tokio::task::JoinError) -> StoreError {
    StoreError::Failed(StoreFault::caused_by(error).context("a call panicked"))
}
