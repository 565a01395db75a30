//! Ending a run by what its stream holds: one that broke off, one that was taken up after its last event, one that is
//! cancelled before it has caught up with its stream.

use powerfill_events::run::event::{RunFailed, Step};
use powerfill_events::run::{EncodedBatch, RunEvent};
use powerfill_ports::Store;
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::projectors;

use crate::ask::{append_id, meta};
use crate::held::ends;
use crate::rebuild::{kept, rebuild_with};
use crate::retry::retry_with_backoff;
use crate::{Runner, RunnerError};

/// The code of a run that ended because it could not be carried through, not because of anything in its input.
pub(crate) const BROKEN_OFF: &str = "RUN_BROKEN_OFF";

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// Ends a run that cannot be carried through: `RunFailed` at the end of its stream, unless that has an end, and the
    /// tenant free again.
    pub(crate) async fn fail(
        &self,
        lease: Lease,
        error: &RunnerError,
    ) -> Result<RunStatus, RunnerError> {
        let failed = RunEvent::RunFailed(RunFailed {
            step: Step::Record,
            code: BROKEN_OFF.to_owned(),
            message: error.to_string(),
        });
        self.end(lease, &failed).await
    }

    /// Appends the event that ends a run, unless its stream has ended already, which then counts; and frees the
    /// tenant. A run without any event, as only a store from before requests came with the queue can have, was never
    /// promised to anyone: it is Failed.
    pub(crate) async fn end(
        &self,
        lease: Lease,
        ending: &RunEvent,
    ) -> Result<RunStatus, RunnerError> {
        let run = lease.run_id;
        let ends = retry_with_backoff(|| ends(self.store.as_ref(), run)).await?;
        if let (Some(first), None) = (&ends.first, ends.ended) {
            let expected_version = ends.version;
            let append = Append {
                append_id: append_id(run, expected_version),
                stream: run.stream(),
                expected_version,
                meta: meta(run, &first.tenant_id, &self.worker, self.clock.now()),
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

    /// Makes tables and queue say what the stream of a run says at its end.
    pub(crate) async fn settle(
        &self,
        lease: Lease,
        status: RunStatus,
    ) -> Result<RunStatus, RunnerError> {
        let (store, writer) = (self.store.as_ref(), ProjectionWriter::Worker(lease));
        let shown = match status {
            RunStatus::Complete => rebuild_with(store, writer, projectors).await.map(|_| ()),
            _ => kept(store, writer).await,
        };
        if let Err(RunnerError::Store(error)) = shown {
            // Whoever takes the run up when the lease is over tries again.
            return Err(error.into());
        }
        // An event that cannot be read keeps the tables as they were, and not the tenant from its next run.
        retry_with_backoff(|| store.set_status(lease, status)).await?;
        shown.map(|()| status)
    }
}
