//! Publishes a run's outputs in a database for reports. The outputs are made from the events, so
//! that any run can be published, not only the latest.

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

use crate::events::{DecodedEvent, read_event, read_run, read_stored};
use crate::rebuild::RunFold;
use crate::retry::retry_with_backoff;
use crate::{AppError, AppResult};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The attempts at one publication.
const ATTEMPTS: RetryPolicy = RetryPolicy::attempts(5, FIRST_PAUSE, Duration::from_secs(2));
/// The attempts of a [`Publisher`] at a target or a store that is unavailable.
const FOLLOW: RetryPolicy = RetryPolicy::endless(FIRST_PAUSE, Duration::from_secs(30));
/// How long a [`Publisher`] waits for an event before it looks for completed runs anyway.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// A run appends often: how long a [`Publisher`] waits for more before it looks whether it is over.
const SETTLE: Duration = Duration::from_millis(500);

/// Publishes the outputs of a Complete run in place of the present ones.
///
/// # Errors
/// [`PublishError`] if the run is not Complete, its tables differ from what it recorded, or the
/// target fails; what was published before stays. The store fails.
pub async fn publish(
    store: &dyn Store,
    run: RunId,
    target: &dyn OutputTarget,
) -> AppResult<Publication> {
    let publication = publication(store, run).await?;
    publish_with_retries(store, target, &publication).await?;
    Ok(publication)
}

/// Describes the outputs of a run, from its last event.
async fn publication(store: &dyn Store, run: RunId) -> AppResult<Publication> {
    let stream = run.stream();
    let last = retry_with_backoff(|| store.stream_version(&stream)).await?;
    let last = read_stored(store, run, last.max(1)).await?;
    let last = last.ok_or_else(|| AppError::no_run(run))?;
    let (tenant_id, position) = (last.tenant_id.clone(), last.global_position);
    let first = read_event(store, run, 1).await?;
    if first.is_some_and(|first| is_scenario(&first.event)) {
        let message = format!("run {run} is a scenario, and scenarios are never published");
        return Err(PublishError::Failed(message).into());
    }
    let RunEvent::RunCompleted(completed) = DecodedEvent::try_from(last)?.event else {
        let message =
            format!("run {run} is not Complete: only a Complete run has outputs to publish");
        return Err(PublishError::Failed(message).into());
    };
    Ok(Publication {
        run_id: run,
        tenant_id,
        position,
        output_digest: completed.output_digest,
        only_if_later: false,
    })
}

fn is_scenario(request: &RunEvent) -> bool {
    matches!(request, RunEvent::RunRequested(requested) if requested.origin.scenario.is_some())
}

async fn publish_with_retries(
    store: &dyn Store,
    target: &dyn OutputTarget,
    publication: &Publication,
) -> AppResult<PublishOutcome> {
    let may_pass =
        |error: &AppError| matches!(error, AppError::Publish(PublishError::Transient(_)));
    ATTEMPTS.retry(|| attempt(store, target, publication), may_pass).await
}

async fn attempt(
    store: &dyn Store,
    target: &dyn OutputTarget,
    publication: &Publication,
) -> AppResult<PublishOutcome> {
    let run = publication.run_id;
    let mut publishing = target.begin(publication).await?;
    let mut sent: Vec<TableDigest> = ALL.iter().map(|table| TableDigest::new(table)).collect();
    let mut fold = RunFold::new(run, projectors);
    let mut events = read_run(store, run);
    while let Some(batch) = events.try_next().await? {
        stage(publishing.as_mut(), &mut sent, &fold.apply(&batch)?).await?;
    }
    let (rest, rebuilt) = fold.finish()?;
    stage(publishing.as_mut(), &mut sent, &rest).await?;
    if !rebuilt.agrees() || rebuilt.rebuilt.output_digest != publication.output_digest {
        let message = format!(
            "the tables of run {run} differ from what it recorded, and were not published; \
             `powerfill verify {run}` shows the difference"
        );
        return Err(PublishError::Failed(message).into());
    }
    Ok(publishing.show(&sent).await?)
}

/// Sends rows, and adds them to the digests of their tables.
async fn stage(
    publishing: &mut dyn Publishing,
    sent: &mut [TableDigest],
    batches: &[RowBatch],
) -> Result<(), PublishError> {
    for rows in batches {
        let digest = sent.iter_mut().find(|digest| std::ptr::eq(digest.table(), rows.table));
        digest.expect("every projector's table is in ALL").update(rows);
        publishing.stage(rows).await?;
    }
    Ok(())
}

/// Follows a tenant's log and publishes each run that completes. Of several runs that completed
/// since the last look, only the latest is published.
pub struct Publisher<'a> {
    store: &'a dyn Store,
    target: &'a dyn OutputTarget,
    /// The name under which the store keeps the publisher's position.
    name: String,
    stop: CancellationToken,
}

/// What a [`Publisher`] reports.
#[derive(Debug)]
pub enum PublisherEvent<'a> {
    /// The run is published.
    Published(&'a Publication),
    /// The target already has a later run.
    Superseded(&'a Publication, RunId),
    /// The target or the store is unavailable. The publisher tries again until it succeeds, and
    /// reports this once.
    Waiting(&'a PublishError),
}

impl<'a> Publisher<'a> {
    /// A publisher that ends when `stop` is cancelled. Its position is kept under the target's
    /// name.
    pub fn new(
        store: &'a dyn Store,
        target: &'a dyn OutputTarget,
        stop: CancellationToken,
    ) -> Self {
        Self { store, target, name: format!("publish:{}", target.place()), stop }
    }

    /// Publishes the latest Complete run, unless this publisher did so before.
    ///
    /// # Errors
    /// As for [`publish`].
    pub async fn catch_up(
        &self,
        report: &mut (dyn FnMut(PublisherEvent<'_>) + Send),
    ) -> AppResult<()> {
        let latest = retry_with_backoff(|| self.store.latest_run(RunStatus::Complete)).await?;
        let Some(run) = latest.map(|run| run.run_id) else { return Ok(()) };
        let publication =
            Publication { only_if_later: true, ..publication(self.store, run).await? };
        let before = retry_with_backoff(|| self.store.subscriber(&self.name)).await?;
        if before.is_some_and(|before| before >= publication.position) {
            return Ok(());
        }
        match publish_with_retries(self.store, self.target, &publication).await? {
            PublishOutcome::This => report(PublisherEvent::Published(&publication)),
            PublishOutcome::Later(later) => {
                report(PublisherEvent::Superseded(&publication, later));
            }
        }
        // If another publisher of this name was faster, the target has the later of both runs.
        retry_with_backoff(|| self.store.advance(&self.name, before, publication.position)).await?;
        Ok(())
    }

    /// Publishes each run that completes, until `stop` is cancelled.
    ///
    /// # Errors
    /// The first error that does not pass by itself.
    pub async fn follow(&self, mut report: impl FnMut(PublisherEvent<'_>) + Send) -> AppResult<()> {
        let (mut pauses, mut is_reported) = (FOLLOW.pauses(), false);
        loop {
            // An attempt that is dropped has changed nothing that is shown, or everything.
            let caught_up = self.stop.run_until_cancelled(self.catch_up_to_head(&mut report));
            let Some(caught_up) = caught_up.await else { return Ok(()) };
            let wait = match caught_up {
                Ok(position) => {
                    pauses.reset();
                    is_reported = false;
                    self.wait_for_event(position).await;
                    SETTLE
                }
                Err(error) => {
                    let transient = match error {
                        AppError::Publish(error @ PublishError::Transient(_)) => error,
                        AppError::Store(StoreError::Unavailable(fault)) => {
                            PublishError::Transient(fault.to_string())
                        }
                        other => return Err(other),
                    };
                    if !std::mem::replace(&mut is_reported, true) {
                        report(PublisherEvent::Waiting(&transient));
                    }
                    pauses.next().unwrap_or_default()
                }
            };
            if self.stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Catches up, and returns the position of the log from which on runs may have completed since.
    async fn catch_up_to_head(
        &self,
        report: &mut (dyn FnMut(PublisherEvent<'_>) + Send),
    ) -> AppResult<u64> {
        let head = retry_with_backoff(|| self.store.head()).await?;
        self.catch_up(report).await?;
        Ok(head.position)
    }

    async fn wait_for_event(&self, after: u64) {
        let mut events = self.store.subscribe(after);
        let _ = self.stop.run_until_cancelled(timeout(MAX_WAIT, events.next())).await;
    }
}
