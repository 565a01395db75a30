//! A run as answers show it.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use powerfill_app::{DecodedEvent, with_logged_status};
use powerfill_events::run::event::{
    CapturedTable, RunRequested, Scenario, SourceFile, SourceProvenance, Step,
};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_ports::Store;
use powerfill_ports::events::StoredEvent;
use powerfill_ports::runs::{QueuedRun, RunStatus};
use powerfill_tables::tables::powerfill_log::step_of;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::{answer_object, text};
use crate::problem::{ApiResult, Problem};

answer_object! {
    /// A run in the list.
    #[derive(Debug, Default)]
    #[schema(as = RunHead, example = json!({
        "run_id": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34", "status": "Complete",
        "requested_at": "2026-01-15T10:00:00.123456Z", "worker": null, "cancel_requested_by": null
    }))]
    RunOverview(run: &QueuedRun) {
        /// The id of the run.
        run_id: Uuid = run.run_id.0,
        /// Pending, PreProcessing, Allocating, PostProcessing, Complete, Failed, or Cancelled.
        status: String = run.status.name().to_owned(),
        /// The time of the request.
        requested_at: String = run.requested_at.to_string(),
        /// The worker of an active run.
        worker: Option<String> = run.worker.clone().filter(|_| !run.status.is_over()),
        /// The actor who requested the cancel.
        cancel_requested_by: Option<String> = run.cancel_requested_by.clone(),
    }
}

/// Where and why a run failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunFailure {
    /// The step.
    pub(crate) step: String,
    /// The kind of the failure.
    pub(crate) code: String,
    /// What happened, and what to do.
    pub(crate) message: String,
}

answer_object! {
    /// What makes a run a scenario.
    #[derive(Debug)]
    #[schema(as = RunScenario)]
    ScenarioView(scenario: Scenario) {
        name: String = scenario.name,
        /// Why it was tried.
        note: Option<String> = scenario.note,
        /// The run whose captured input was edited; null if the input was read from a source.
        base_run: Option<String> = scenario.base_run,
        /// The edits, one per line, in the order in which they apply.
        edits: Vec<String> = scenario.edits,
    }
}

answer_object! {
    /// A file of a source.
    #[derive(Debug)]
    #[schema(as = RunSourceFile)]
    SourceFileView(file: SourceFile) {
        name: String = file.name,
        /// Its size.
        bytes: u64 = file.bytes,
        /// The time of its last change, if the system knows it.
        modified_at: Option<String> = text(file.modified_at),
    }
}

answer_object! {
    /// A captured input table.
    #[derive(Debug)]
    #[schema(as = RunInputTable)]
    CapturedTableView(table: CapturedTable) {
        table: String = table.table,
        rows: u64 = table.rows,
        /// BLAKE3 of its part of the canonical form.
        digest: String = table.digest,
    }
}

answer_object! {
    /// Where the input of a run was read. That of a scenario was edited afterwards.
    #[derive(Debug)]
    #[schema(as = RunProvenance)]
    ProvenanceView(provenance: SourceProvenance) {
        /// dir, xlsx, sqlite, postgres, mssql, or mismo.
        kind: String = provenance.kind,
        /// The place, without secrets.
        place: String = provenance.place,
        /// Its files; none for a server.
        files: Vec<SourceFileView> = provenance.files.into_iter().map(Into::into).collect(),
        /// The version of the managed configuration; null for the source's own tables.
        configuration_version: Option<u64> = provenance.configuration_version,
        /// The input tables as the run has them.
        tables: Vec<CapturedTableView> = provenance.tables.into_iter().map(Into::into).collect(),
    }
}

/// A run.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct RunView {
    #[serde(flatten)]
    pub(crate) summary: RunOverview,
    /// The actor who requested it.
    requested_by: Option<String>,
    /// The resolved options (specification 1.3); decimals are strings.
    #[schema(value_type = Option<Object>)]
    options: Option<serde_json::Value>,
    /// BLAKE3 of the captured snapshot.
    input_digest: Option<String>,
    /// What makes it a scenario; null for an official run.
    scenario: Option<ScenarioView>,
    /// Where its input was read; null for a run of a version that did not record it.
    provenance: Option<ProvenanceView>,
    /// The last step of its events; the step at which it ended if it is over.
    pub(crate) step: Option<String>,
    /// The fraction of the steps that are done, from "0.00" to "1.00".
    pub(crate) fraction: String,
    /// The number of its events.
    pub(crate) events: u64,
    /// The time of its end.
    ended_at: Option<String>,
    /// Rows per output table, if it is Complete.
    #[schema(value_type = Option<Object>)]
    pub(crate) counts: Option<BTreeMap<String, u64>>,
    /// BLAKE3 of the output tables, if it is Complete.
    pub(crate) output_digest: Option<String>,
    /// The failure, if it failed.
    pub(crate) failure: Option<RunFailure>,
    /// The actor who ended it, if it was cancelled.
    pub(crate) cancelled_by: Option<String>,
}

/// The event of this version, as it is stored and in the present schema.
pub(crate) async fn event_at(
    store: &dyn Store,
    run: RunId,
    version: u64,
) -> ApiResult<Option<(StoredEvent, RunEvent)>> {
    let mut batches = store.read_between(&run.stream(), version, version);
    let stored = batches.try_next().await?.and_then(|batch| batch.into_iter().next());
    let Some(stored) = stored else { return Ok(None) };
    let event = DecodedEvent::try_from(stored.clone())?.event;
    Ok(Some((stored, event)))
}

/// The request of a run.
pub(crate) async fn requested(
    store: &dyn Store,
    run: RunId,
) -> ApiResult<Option<Box<RunRequested>>> {
    Ok(match event_at(store, run, 1).await?.map(|(_, first)| first) {
        Some(RunEvent::RunRequested(requested)) => Some(requested),
        _ => None,
    })
}

/// The fraction of the steps that are done when a run has reached this one.
fn fraction(run: &QueuedRun, reached: Option<Step>) -> String {
    let done = match (run.status, reached) {
        (RunStatus::Complete, _) => Step::ALL.len(),
        (_, Some(step)) => Step::ALL.iter().position(|other| *other == step).unwrap_or(0),
        (_, None) => 0,
    };
    let mut fraction = Decimal::from(done) / Decimal::from(Step::ALL.len());
    fraction.rescale(2);
    fraction.to_string()
}

/// A run of the queue, with the status that its events say.
pub(crate) async fn logged_run(store: &dyn Store, run: RunId) -> ApiResult<QueuedRun> {
    let queued = store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    Ok(with_logged_status(store, queued).await?)
}

/// Reads a run from the queue, and from the first and the last event of its stream.
pub(crate) async fn read_run(store: &dyn Store, run: RunId) -> ApiResult<RunView> {
    let mut queued = store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let events = store.stream_version(&run.stream()).await?;
    let mut view = RunView {
        summary: RunOverview::from(&queued),
        fraction: fraction(&queued, None),
        events,
        ..RunView::default()
    };
    if let Some(requested) = requested(store, run).await? {
        let RunRequested { options, requested_by, snapshot_digest, origin, .. } = *requested;
        view.requested_by = Some(requested_by);
        view.options = serde_json::to_value(&options).ok();
        view.input_digest = Some(snapshot_digest);
        view.scenario = origin.scenario.map(Into::into);
        view.provenance = origin.provenance.map(Into::into);
    }
    let last = event_at(store, run, events.max(1)).await?;
    let Some((stored, last)) = last else { return Ok(view) };
    if !queued.status.is_over() {
        queued.status = RunStatus::reached_with(&last);
        view.summary = RunOverview::from(&queued);
    }
    let step = step_of(&last);
    view.step = step.map(|step| step.as_str().to_owned());
    view.fraction = fraction(&queued, step);
    if last.is_terminal() {
        view.ended_at = Some(stored.recorded_at.to_string());
    }
    match last {
        RunEvent::RunCompleted(completed) => {
            view.counts = Some(completed.counts);
            view.output_digest = Some(completed.output_digest);
        }
        RunEvent::RunFailed(failed) => {
            let step = failed.step.as_str().to_owned();
            view.failure = Some(RunFailure { step, code: failed.code, message: failed.message });
        }
        RunEvent::RunCancelled(cancelled) => view.cancelled_by = Some(cancelled.cancelled_by),
        other => debug_assert!(!other.is_terminal(), "{other:?} ends a run and has no view"),
    }
    Ok(view)
}
