//! Work that needs a processor for long.

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::problem::{ApiResult, Problem, ProblemKind, internal};

/// Runs work that needs a processor for long, on a thread that answers no requests. If the caller
/// does not wait for it any more, the work ends at its next wait, and the thread is free again.
pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl AsyncFnOnce() -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    let handle = Handle::current();
    let stop = CancellationToken::new();
    let _stop_with_caller = stop.clone().drop_guard();
    let done = tokio::task::spawn_blocking(move || {
        handle.block_on(stop.run_until_cancelled(work())).unwrap_or_else(|| {
            Err(Problem::new(ProblemKind::Unavailable, "The caller did not wait for the answer."))
        })
    });
    done.await.map_err(|panic| internal(&panic))?
}
