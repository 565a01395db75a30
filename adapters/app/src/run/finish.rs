//! Ends a run by what its stream says: a run that broke off, a run that was taken up after its last
//! event, a run that was cancelled before it reached the end of its stream.

use powerfill_events::log::EncodedBatch;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{RunFailed, Step};
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::projectors;

use super::Runner;
use super::envelope::{append_id, append_meta};
use super::history::read_ends;
use crate::rebuild::{rebuild_kept, rebuild_with};
use crate::retry::retry_with_backoff;
use crate::{AppError, AppResult};

/// The code of a run that failed for another reason than its input.
pub(crate) const BROKEN_OFF: &str = "RUN_BROKEN_OFF";

impl Runner {
    /// Ends a run that cannot be carried on with `RunFailed`.
    pub(crate) async fn fail(&self, lease: Lease, error: &AppError) -> AppResult<RunStatus> {
        let failed = RunEvent::RunFailed(RunFailed {
            step: Step::Record,
            code: BROKEN_OFF.to_owned(),
            message: error.to_string(),
        });
        self.end(lease, &failed).await
    }

    /// Appends the event that ends a run, unless its stream has an end already, and frees the
    /// tenant. A run without events becomes Failed: only an older version could queue a run before
    /// it recorded the request.
    pub(crate) async fn end(&self, lease: Lease, ending: &RunEvent) -> AppResult<RunStatus> {
        let run = lease.run_id;
        let ends = retry_with_backoff(|| read_ends(self.store.as_ref(), run)).await?;
        if let (Some(first), None) = (&ends.first, ends.ended) {
            let expected_version = ends.version;
            let append = Append {
                append_id: append_id(run, expected_version),
                stream: run.stream(),
                expected_version,
                meta: append_meta(run, &first.tenant_id, &self.worker, self.clock.now()),
                events: EncodedBatch::encode([ending]),
                lease: Some(lease),
            };
            retry_with_backoff(|| self.store.append(append.clone())).await?;
        }
        let status = match (ends.first, ends.ended) {
            (None, _) => RunStatus::Failed,
            (Some(_), None) => RunStatus::reached_with(ending),
            (Some(_), Some(ended)) => ended,
        };
        self.settle(lease, status).await
    }

    /// Makes the tables and the queue agree with a stream that has ended.
    pub(crate) async fn settle(&self, lease: Lease, status: RunStatus) -> AppResult<RunStatus> {
        let (store, writer) = (self.store.as_ref(), ProjectionWriter::Worker(lease));
        let rebuilt = match status {
            RunStatus::Complete => {
                rebuild_with(store, writer, projectors, self.large_tables).await.map(|_| ())
            }
            _ => rebuild_kept(store, writer).await,
        };
        // The next worker tries again once the lease has ended.
        if let Err(AppError::Store(error)) = rebuilt {
            return Err(error.into());
        }
        // An event that cannot be read must not block the tenant's next run.
        retry_with_backoff(|| store.set_status(lease, status)).await?;
        rebuilt.map(|()| status)
    }
}
