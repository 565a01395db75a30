//! Work that needs a processor for long.

use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::problem::{ApiResult, Problem, ProblemKind, internal};

/// Work that leaves its result elsewhere, so that threads and tasks are compiled once for all work.
type Work = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Runs work that needs a processor for long, on a thread that answers no requests. If the caller
/// does not wait for it any more, the work ends at its next wait, and the thread is free again.
pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl AsyncFnOnce() -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    let result = Arc::new(Mutex::new(None));
    let result_of_work = Arc::clone(&result);
    let ended = run(Box::new(move || {
        Box::pin(async move {
            let found = work().await;
            *result_of_work.lock() = Some(found);
        })
    }));
    ended.await.map_err(|panic| internal(&panic))?;
    let result = result.lock().take();
    result.unwrap_or_else(|| {
        Err(Problem::new(ProblemKind::Unavailable, "The caller did not wait for the answer."))
    })
}

async fn run(work: Work) -> Result<(), JoinError> {
    let handle = Handle::current();
    let stop = CancellationToken::new();
    let _stop_with_caller = stop.clone().drop_guard();
    let ended = tokio::task::spawn_blocking(move || {
        handle.block_on(stop.run_until_cancelled(work()));
    });
    ended.await
}
