//! Showing a run's outputs elsewhere: made from its events, so that any run can be shown, not only the latest.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_ports::publishing::{
    OutputTarget, Publication, PublishError, PublishOutcome, Publishing,
};
use powerfill_ports::retry::RetryPolicy;
use powerfill_ports::runs::RunStatus;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::digest::TableDigest;
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::{ALL, projectors};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::RunnerError;
use crate::rebuild::Folding;
use crate::retry::retry_with_backoff;
use crate::stored::read_versions;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The attempts at one publication.
const ATTEMPTS: RetryPolicy = RetryPolicy::attempts(5, FIRST_PAUSE, Duration::from_secs(2));
/// The attempts of a [`Publisher`] at a place or a store that is away.
const FOLLOW: RetryPolicy = RetryPolicy::endless(FIRST_PAUSE, Duration::from_secs(30));
/// How soon one who follows looks again, also where nothing was heard.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A run appends often: how long to wait for more of it before looking whether it is over.
const SETTLE: Duration = Duration::from_millis(500);

/// Shows the outputs of a run that is Complete in place of what is shown.
///
/// # Errors
/// [`PublishError`] where the run is not Complete, its tables are not what it recorded, or the place fails; what was
/// shown stays as it was. Else where the store fails.
pub async fn publish<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    target: &dyn OutputTarget,
) -> Result<Publication, RunnerError> {
    let publication = publication(store, run).await?;
    shown(store, target, &publication).await?;
    Ok(publication)
}

/// What there is to show of a run.
async fn publication<S: Store + ?Sized>(store: &S, run: RunId) -> Result<Publication, RunnerError> {
    let stream = run.stream();
    let last = retry_with_backoff(|| store.stream_version(&stream)).await?;
    let mut end = read_versions(store, run, last.max(1), last.max(1));
    let end = end.try_next().await?.and_then(|batch| batch.into_iter().next());
    let Some((stored, event)) = end else {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() }.into());
    };
    let RunEvent::RunCompleted(completed) = event else {
        let message = format!("run {run} is not Complete: only a Complete run has outputs to show");
        return Err(PublishError::Failed(message).into());
    };
    Ok(Publication {
        run_id: run,
        tenant_id: stored.tenant_id,
        position: stored.global_position,
        output_digest: completed.output_digest,
        only_if_later: false,
    })
}

/// Shows it, tried again where something passes.
async fn shown<S: Store + ?Sized>(
    store: &S,
    target: &dyn OutputTarget,
    publication: &Publication,
) -> Result<PublishOutcome, RunnerError> {
    let passes =
        |error: &RunnerError| matches!(error, RunnerError::Publish(PublishError::Transient(_)));
    ATTEMPTS.retry(|| attempt(store, target, publication), passes).await
}

async fn attempt<S: Store + ?Sized>(
    store: &S,
    target: &dyn OutputTarget,
    publication: &Publication,
) -> Result<PublishOutcome, RunnerError> {
    let run = publication.run_id;
    let mut publishing = target.begin(publication).await?;
    let mut sent: Vec<TableDigest> = ALL.iter().map(|table| TableDigest::new(table)).collect();
    let mut folding = Folding::new(run, projectors);
    let mut events = read_versions(store, run, 1, u64::MAX);
    while let Some(batch) = events.try_next().await? {
        stage(publishing.as_mut(), &mut sent, &folding.take(&batch)?).await?;
    }
    let (rest, folded) = folding.finish()?;
    stage(publishing.as_mut(), &mut sent, &rest).await?;
    if !folded.agrees() || folded.rebuilt.output_digest != publication.output_digest {
        let message = format!(
            "the tables of run {run} are not what it recorded, and are not shown; look with `powerfill verify {run}`"
        );
        return Err(PublishError::Failed(message).into());
    }
    Ok(publishing.show(&sent).await?)
}

/// Hands rows over, and keeps the digests of what is sent.
async fn stage(
    publishing: &mut dyn Publishing,
    sent: &mut [TableDigest],
    batches: &[RowBatch],
) -> Result<(), PublishError> {
    for rows in batches {
        let digest = sent.iter_mut().find(|digest| std::ptr::eq(digest.table(), rows.table));
        digest.expect("a projector's table is one of all").update(rows);
        publishing.stage(rows).await?;
    }
    Ok(())
}

/// One who follows a tenant's log and shows each run that completes. Runs that another one followed at once are passed
/// over.
pub struct Publisher<'a, S: ?Sized> {
    store: &'a S,
    target: &'a dyn OutputTarget,
    /// By which its position is kept in the store.
    name: String,
    stop: CancellationToken,
}

/// What a [`Publisher`] has to say.
#[derive(Debug)]
pub enum Told<'a> {
    /// The run is shown.
    Shown(&'a Publication),
    /// A later one was shown already.
    Passed(&'a Publication, RunId),
    /// It is tried again until it goes; said once.
    Away(&'a PublishError),
}

impl<'a, S: Store + ?Sized> Publisher<'a, S> {
    /// For a place; it ends when `stop` is cancelled. Its position is kept under the place's name.
    pub fn new(store: &'a S, target: &'a dyn OutputTarget, stop: CancellationToken) -> Self {
        Self { store, target, name: format!("publish:{}", target.place()), stop }
    }

    /// Shows the latest Complete run, unless it was shown before by this one or is none.
    ///
    /// # Errors
    /// As [`publish`].
    pub async fn catch_up(&self, tell: &mut impl FnMut(Told<'_>)) -> Result<(), RunnerError> {
        let Some(run) = self.latest().await? else { return Ok(()) };
        let publication =
            Publication { only_if_later: true, ..publication(self.store, run).await? };
        let before = retry_with_backoff(|| self.store.subscriber(&self.name)).await?;
        if before.is_some_and(|before| before >= publication.position) {
            return Ok(());
        }
        match shown(self.store, self.target, &publication).await? {
            PublishOutcome::This => tell(Told::Shown(&publication)),
            PublishOutcome::Later(later) => tell(Told::Passed(&publication, later)),
        }
        // Where somebody else goes by this name and was quicker, the place has the later of both.
        retry_with_backoff(|| self.store.advance(&self.name, before, publication.position)).await?;
        Ok(())
    }

    /// Shows each run that completes, until it is told to stop. A place or a store that is away is tried again until it
    /// is back.
    ///
    /// # Errors
    /// What another try would not mend.
    pub async fn follow(&self, mut tell: impl FnMut(Told<'_>)) -> Result<(), RunnerError> {
        let (mut pauses, mut told) = (FOLLOW.pauses(), false);
        loop {
            // One that is broken off has changed nothing that is shown, or all of it.
            let caught_up =
                self.stop.run_until_cancelled(self.catch_up_and_say_where(&mut tell)).await;
            let Some(caught_up) = caught_up else { return Ok(()) };
            let wait = match caught_up {
                Ok(position) => {
                    pauses.reset();
                    told = false;
                    self.news(position).await;
                    SETTLE
                }
                Err(error) => {
                    let passing = match error {
                        RunnerError::Publish(error @ PublishError::Transient(_)) => error,
                        RunnerError::Store(StoreError::Unavailable(why)) => {
                            PublishError::Transient(why)
                        }
                        other => return Err(other),
                    };
                    if !std::mem::replace(&mut told, true) {
                        tell(Told::Away(&passing));
                    }
                    pauses.next().unwrap_or_default()
                }
            };
            if self.stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// The position up to which nothing is left to show.
    async fn catch_up_and_say_where(
        &self,
        tell: &mut impl FnMut(Told<'_>),
    ) -> Result<u64, RunnerError> {
        let head = retry_with_backoff(|| self.store.head()).await?;
        self.catch_up(tell).await?;
        Ok(head.position)
    }

    /// The run that completed last.
    async fn latest(&self) -> Result<Option<RunId>, StoreError> {
        let runs = retry_with_backoff(|| self.store.runs()).await?;
        Ok(runs.into_iter().find(|run| run.status == RunStatus::Complete).map(|run| run.run_id))
    }

    /// Until something is appended, or for a while.
    async fn news(&self, position: u64) {
        let mut news = self.store.subscribe(position);
        let _ = self.stop.run_until_cancelled(timeout(LOOK_EVERY, news.next())).await;
    }
}
