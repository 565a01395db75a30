//! The name and the notes of a run (specification 3.6).

use axum::Json;
use powerfill_app::run_list::{AnnotateError, AnnotationChange, annotate};
use powerfill_events::annotation::{Annotations, check_name};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::Store;
use powerfill_ports::run_list::read_annotations;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::{Operator, Viewer};
use crate::extract::{Body, Path};
use crate::problem::{ApiResult, Problem, ProblemKind};

/// A note about a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunNoteView {
    /// When it was written.
    at: String,
    /// Who wrote it.
    by: String,
    /// The note.
    note: String,
}

/// The name and the notes of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnnotationsView {
    /// The run.
    run_id: Uuid,
    /// Its name.
    name: Option<String>,
    /// The notes, the oldest first.
    notes: Vec<RunNoteView>,
}

impl AnnotationsView {
    fn new(run: RunId, annotations: Annotations) -> Self {
        let notes = annotations.notes.into_iter();
        let view = |at: String, by, note| RunNoteView { at, by, note };
        Self {
            run_id: run.0,
            name: annotations.name,
            notes: notes.map(|note| view(note.at.to_string(), note.by, note.text)).collect(),
        }
    }
}

/// A name, a note, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "month end", "note": "signed off by the head of the desk" }))]
pub(crate) struct AnnotationRequest {
    /// The new name, at most 60 characters, unique in the store; empty to take the name away.
    name: Option<String>,
    /// A note, at most 4000 characters.
    note: Option<String>,
}

/// The name and the notes of a run.
#[utoipa::path(get, operation_id = "show_annotations",
    path = "/api/powerfill/runs/{run_id}/annotations", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = AnnotationsView)))]
pub(crate) async fn show(
    Viewer { caller, .. }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Json<AnnotationsView>> {
    let store = caller.store().await?;
    store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let annotations = read_annotations(store.as_ref(), run).await?;
    Ok(Json(AnnotationsView::new(run, annotations)))
}

/// Names a run, or adds a note to it. The events of the run stay as they are.
#[utoipa::path(post, operation_id = "annotate", security(("token" = ["operator"])),
    path = "/api/powerfill/runs/{run_id}/annotations", tag = "runs",
    request_body = AnnotationRequest,
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = AnnotationsView), (status = 409)))]
pub(crate) async fn add(
    Operator { caller, api }: Operator,
    Path(run): Path<RunId>,
    Body(request): Body<AnnotationRequest>,
) -> ApiResult<Json<AnnotationsView>> {
    let store = caller.store().await?;
    store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let change = AnnotationChange { name: request.name, note: request.note };
    if change == AnnotationChange::default() {
        return Err(Problem::bad("Send a name, a note, or both."));
    }
    let now = api.clock.now();
    let annotated = annotate(store.as_ref(), run, &change, &caller.actor, now).await;
    Ok(Json(AnnotationsView::new(run, annotated.map_err(refused)?)))
}

fn refused(error: AnnotateError) -> Problem {
    match error {
        AnnotateError::Rejected(why) => Problem::bad(format!("The annotation is refused: {why}.")),
        AnnotateError::NameTaken(other) => {
            let detail = format!("Run {other} has this name already; names of runs are unique.");
            Problem::new(ProblemKind::AlreadyThere, detail)
        }
        AnnotateError::App(error) => error.into(),
    }
}

/// Refuses a name that a run cannot have, or that another run has.
pub(crate) async fn ensure_free(store: &dyn Store, name: &str) -> ApiResult<()> {
    check_name(name).map_err(|why| refused(why.into()))?;
    match store.runs_named(name).await?.first() {
        Some(other) => Err(refused(AnnotateError::NameTaken(*other))),
        None => Ok(()),
    }
}

/// Names a run; nothing if it has the name.
pub(crate) async fn name_run(
    store: &dyn Store,
    run: RunId,
    name: &str,
    actor: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let change = AnnotationChange { name: Some(name.to_owned()), note: None };
    annotate(store, run, &change, actor, now).await.map(|_| ()).map_err(refused)
}
