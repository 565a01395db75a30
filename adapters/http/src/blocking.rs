//! Work that needs a processor for long.

use tokio::runtime::Handle;

use crate::problem::{ApiResult, internal};

/// Runs work that needs a processor for long, on a thread that answers no requests.
pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl AsyncFnOnce() -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    let handle = Handle::current();
    let done = tokio::task::spawn_blocking(move || handle.block_on(work())).await;
    done.map_err(|panic| internal(&panic))?
}
