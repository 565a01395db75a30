//! Requests of runs, for tests that are about something else.

use powerfill_app::RunRequest;
use powerfill_events::run::RunId;
use powerfill_events::run::event::RunOrigin;
use powerfill_snapshot::{RunOptions, Snapshot};

/// A request of an official run by `desk`, whose source has no warnings and no mapping.
pub fn plain_request<'a>(
    run_id: RunId,
    snapshot: &'a Snapshot,
    options: &'a RunOptions,
) -> RunRequest<'a> {
    RunRequest {
        run_id,
        snapshot,
        options,
        requested_by: "desk",
        source_warnings: &[],
        mapping: None,
        origin: RunOrigin::default(),
    }
}
