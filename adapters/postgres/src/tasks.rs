//! Work on other tasks and threads.

use std::pin::Pin;

use powerfill_ports::{StoreError, StoreFault};

/// Runs a future to its end, even if the caller drops this one after its first poll.
pub(crate) async fn run_detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    // Boxed: the task is compiled once per type of its result.
    let work: Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>> = Box::pin(work);
    tokio::spawn(work).await.map_err(panicked)?
}

/// Runs work on a thread that may block.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let work: Box<dyn FnOnce() -> Result<T, StoreError> + Send> = Box::new(work);
    tokio::task::spawn_blocking(work).await.map_err(panicked)?
}

fn panicked(error: tokio::task::JoinError) -> StoreError {
    StoreError::Failed(StoreFault::caused_by(error).context("a call panicked"))
}
