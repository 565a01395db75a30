//! The end of a transaction. If the connection breaks during COMMIT, the client cannot know whether
//! the server carried it out. The store then finds out, so that a call that returns "unavailable"
//! has done nothing. (An append needs no such check: it is recognized when it is repeated.)

use std::time::{Duration, Instant};

use backon::Retryable;
use deadpool_postgres::Transaction;
use powerfill_ports::{StoreError, StoreFault, StoreResult};

use crate::errors::{may_have_committed, store_error};
use crate::retry::COMMIT_CHECK;

/// How long to try to find out whether a transaction was committed. A server that crashed needs
/// some seconds to read its log again.
const CHECK_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
#[must_use]
pub(crate) enum CommitOutcome {
    /// The transaction is committed.
    Committed,
    /// The connection broke before the answer came, with this error.
    Unknown(StoreError),
}

/// Commits.
///
/// # Errors
/// The server refused: nothing was done.
pub(crate) async fn commit(tx: Transaction<'_>) -> StoreResult<CommitOutcome> {
    match tx.commit().await {
        Ok(()) => Ok(CommitOutcome::Committed),
        Err(error) if may_have_committed(&error) => Ok(CommitOutcome::Unknown(store_error(error))),
        Err(error) => Err(store_error(error)),
    }
}

/// Commits a transaction that may be done twice with the same result.
///
/// # Errors
/// It may not have been done.
pub(crate) async fn commit_idempotent(tx: Transaction<'_>) -> StoreResult<()> {
    match commit(tx).await? {
        CommitOutcome::Committed => Ok(()),
        CommitOutcome::Unknown(error) => Err(error),
    }
}

/// Finds out whether a transaction whose end is unknown was committed. `check` returns its result,
/// or `None` if nothing was done. The check must wait for a lock that the transaction held, because
/// the server may still be busy with the transaction.
///
/// # Errors
/// `broken`, which is [`StoreError::Unavailable`], if nothing was done; [`StoreError::Failed`] if
/// the server stays away.
pub(crate) async fn resolve_unknown<T, F>(
    broken: StoreError,
    check: impl FnMut() -> F,
) -> StoreResult<T>
where
    F: Future<Output = StoreResult<Option<T>>>,
{
    let started = Instant::now();
    let checked = check
        .retry(COMMIT_CHECK)
        .when(|error| error.is_transient() && started.elapsed() < CHECK_LIMIT)
        .await;
    match checked {
        Ok(Some(result)) => Ok(result),
        Ok(None) => Err(broken),
        Err(error) => Err(StoreError::Failed(StoreFault::caused_by(error).context(
            "the connection broke while committing, and it is not known whether that was done",
        ))),
    }
}
