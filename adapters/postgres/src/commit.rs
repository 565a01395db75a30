//! The end of a transaction. A connection that breaks while COMMIT is under way leaves open what became of it; then the
//! store looks, so that nobody who is told "unavailable" has done something (an append is recognised when it is
//! made again, and needs no look).

use std::time::{Duration, Instant};

use deadpool_postgres::Transaction;
use powerfill_ports::StoreError;

use crate::fault::{fault, leaves_open};

/// How long to look for what became of a commit before saying that it is not known.
const LOOK_FOR: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a COMMIT came to.
#[derive(Debug)]
#[must_use]
pub(crate) enum Ended {
    /// It is done.
    Committed,
    /// The connection broke before the answer came, with this fault.
    Unknown(StoreError),
}

/// Commits.
///
/// # Errors
/// The server says that nothing was done.
pub(crate) async fn commit(tx: Transaction<'_>) -> Result<Ended, StoreError> {
    match tx.commit().await {
        Ok(()) => Ok(Ended::Committed),
        Err(error) if leaves_open(&error) => Ok(Ended::Unknown(fault(error))),
        Err(error) => Err(fault(error)),
    }
}

/// Commits what may be done twice without a difference.
///
/// # Errors
/// It may not have been done.
pub(crate) async fn commit_repeatable(tx: Transaction<'_>) -> Result<(), StoreError> {
    match commit(tx).await? {
        Ended::Committed => Ok(()),
        Ended::Unknown(error) => Err(error),
    }
}

/// Looks whether a transaction with an unknown end was committed: `look` answers what it came to, or `None` where
/// nothing was done. It must wait for the former transaction by a lock that that one held, since the server may be busy
/// with it still.
///
/// # Errors
/// [`StoreError::Unavailable`] where nothing was done; [`StoreError::Failed`] where the server stays away.
pub(crate) async fn look_back<T, F>(
    broken: StoreError,
    mut look: impl FnMut() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<Option<T>, StoreError>>,
{
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match look().await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => return Err(broken),
            Err(error) if error.is_transient() && begun.elapsed() < LOOK_FOR => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => {
                return Err(StoreError::Failed(format!(
                    "the connection broke while committing, and it is not known whether that was done: {error}"
                )));
            }
        }
    }
}
