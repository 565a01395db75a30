//! Comparisons as jobs: of two runs, and of a run with the files of an export.

use std::error::Error;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::response::Response;
use bytes::Bytes;
use powerfill_app::compare::{compare_with, run_side};
use powerfill_diff::classes::Classifications;
use powerfill_diff::mapping::ComparisonMapping;
use powerfill_diff::report::{ComparisonDocument, json};
use powerfill_diff::{Comparison, Interner};
use powerfill_events::run::RunId;
use serde::Serialize;
use tempfile::TempDir;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{Job, JobKind, JobResult, JobView, start};
use crate::api::Api;
use crate::audit::{DiffRequest, audit, find_runs};
use crate::caller::Viewer;
use crate::extract::{Body, Path};
use crate::problem::{ApiResult, Problem, ProblemKind, internal};

/// The longest body with the files of an export, in bytes.
pub(crate) const UPLOAD_BYTES: usize = 64 << 20;
/// The most files of an export.
const UPLOAD_FILES: usize = 100;
/// The longest name of a file, in bytes.
const NAME_BYTES: usize = 120;

fn result_of(comparison: &Comparison) -> ApiResult<JobResult> {
    let mut text = Vec::new();
    json(comparison, &mut text).map_err(|error| internal(&error))?;
    Ok(JobResult { answer: comparison.outcome().name().to_owned(), json: text.into() })
}

/// Compares the output tables of a run with those of another run, as a job: `here` is the earlier
/// one, and `there` the later one. A difference is no error.
#[utoipa::path(post, operation_id = "compare_with_run", tag = "audit",
    path = "/api/powerfill/runs/{run_id}/comparisons", request_body = DiffRequest,
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 202, body = JobView,
        headers(("Location" = String, description = "The job")))))]
pub(crate) async fn compare_with_run(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    Body(request): Body<DiffRequest>,
) -> ApiResult<Response> {
    let comparing = request.checked(run)?;
    let store = find_runs(&caller, &comparing.runs).await?;
    start(&api, caller, (JobKind::Comparison, Some(run)), async move |job: Arc<Job>, _permit| {
        job.note_progress("compare", 0, 1);
        result_of(&comparing.compare(store.as_ref()).await?)
    })
}

/// Compares the output tables of a run with an export of another system, as a job.
///
/// The files are text files of one table each, plain or compressed with gzip, or workbooks with a
/// table per sheet; their names are those of the tables of the run, or the mapping names them, as
/// for `powerfill diff --against`. They are deleted when the job ends.
#[utoipa::path(post, operation_id = "compare_with_export", tag = "audit",
    path = "/api/powerfill/runs/{run_id}/export-comparisons",
    params(("run_id" = Uuid, Path, description = "The run")),
    request_body(content_type = "multipart/form-data", content = Object),
    responses((status = 202, body = JobView,
        headers(("Location" = String, description = "The job")))))]
pub(crate) async fn compare_export(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    form: Result<Multipart, MultipartRejection>,
) -> ApiResult<Response> {
    let store = find_runs(&caller, &[run]).await?;
    let Upload { folder, mapping, classifications, explain, rows, .. } =
        Upload::in_time(&api, form).await?;
    let tenant = Arc::clone(&caller.tenant);
    start(
        &api,
        caller,
        (JobKind::ExportComparison, Some(run)),
        async move |job: Arc<Job>, _permit| {
            job.note_progress("read", 0, 2);
            let export = |names: &mut Interner| {
                let read = tenant.read_export(folder.path(), &mapping, names);
                job.note_progress("compare", 1, 2);
                read.map_err(|error| unreadable(folder.path(), error.as_ref()))
            };
            let mut comparison =
                compare_with(store.as_ref(), run, export, &mapping, explain).await?;
            let (classes, text) = classifications;
            comparison.classify(classes);
            let added = comparison.append_classifications(CLASSIFICATIONS, &text);
            let proposed = added.map_err(|error| Problem::bad(format!("{error}.")))?;
            comparison.keep_rows(rows);
            let document = ExportComparison {
                comparison: ComparisonDocument(&comparison),
                proposed_classifications: proposed,
            };
            let json = serde_json::to_vec(&document).map_err(|error| internal(&error))?;
            Ok(JobResult { answer: comparison.outcome().name().to_owned(), json: json.into() })
        },
    )
}

/// What messages call a text of classifications that has no name.
const CLASSIFICATIONS: &str = "classifications";

/// A comparison with an export.
#[derive(Serialize)]
struct ExportComparison<'a> {
    #[serde(flatten)]
    comparison: ComparisonDocument<'a>,
    /// The classifications with an entry to fill in for the differences that have none; null if
    /// there is nothing to add.
    proposed_classifications: Option<String>,
}

/// A draft of a mapping.
#[derive(Serialize, ToSchema)]
pub(crate) struct MappingDraft {
    /// The text, made from names and values: check it before use.
    mapping: String,
}

/// Drafts a mapping for an export of another system from its names and values, as
/// `powerfill diff --write-mapping` does, and compares nothing.
#[utoipa::path(post, operation_id = "draft_mapping", tag = "audit",
    path = "/api/powerfill/runs/{run_id}/export-mapping",
    params(("run_id" = Uuid, Path, description = "The run")),
    request_body(content_type = "multipart/form-data", content = Object),
    responses((status = 200, body = MappingDraft)))]
pub(crate) async fn draft_mapping(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    form: Result<Multipart, MultipartRejection>,
) -> ApiResult<Json<MappingDraft>> {
    find_runs(&caller, &[run]).await?;
    let Upload { folder, .. } = Upload::in_time(&api, form).await?;
    let tenant = Arc::clone(&caller.tenant);
    let mapping = audit(&api, &caller, &[run], async move |store| {
        let mut names = Interner::default();
        let here = run_side(store.as_ref(), run, &mut names).await?;
        let drafted = tenant.draft_mapping(folder.path(), &here, &mut names);
        drafted.map_err(|error| unreadable(folder.path(), error.as_ref()))
    })
    .await?;
    Ok(Json(MappingDraft { mapping }))
}

/// The problem of files that cannot be read. The message does not name the folder of the service.
fn unreadable(folder: &FilePath, error: &(dyn Error + Send + Sync)) -> Problem {
    let folder = format!("{}/", folder.display());
    let detail = format!("The export cannot be read: {}", error.to_string().replace(&folder, ""));
    Problem::new(ProblemKind::BadRequest, detail)
}

/// The files of an export, in a folder that is deleted with it.
struct Upload {
    folder: TempDir,
    files: usize,
    mapping: ComparisonMapping,
    /// The classifications, and their text.
    classifications: (Classifications, String),
    explain: usize,
    rows: usize,
}

impl Upload {
    /// The files of a form that arrives within the time limit of the service.
    async fn in_time(api: &Api, form: Result<Multipart, MultipartRejection>) -> ApiResult<Self> {
        let late = |_| Problem::new(ProblemKind::TooSlow, "The files did not arrive in time.");
        timeout(api.limits.upload_timeout, Self::receive(form?)).await.map_err(late)?
    }

    async fn receive(mut form: Multipart) -> ApiResult<Self> {
        let folder = tempfile::tempdir().map_err(|error| internal(&error))?;
        let mapping = ComparisonMapping::default();
        let classifications = (Classifications::default(), String::new());
        let (explain, rows) = (1_000, usize::MAX);
        let mut upload = Self { folder, files: 0, mapping, classifications, explain, rows };
        while let Some(field) = form.next_field().await? {
            upload.take(field).await?;
        }
        match upload.files {
            0 => Err(Problem::bad("Send at least one `file` with the rows of a table.")),
            _ => Ok(upload),
        }
    }

    async fn take(&mut self, field: Field<'_>) -> ApiResult<()> {
        match field.name() {
            Some("file") => {
                let name = file_name(field.file_name())?;
                let path = self.folder.path().join(&name);
                self.files += 1;
                if self.files > UPLOAD_FILES || path.exists() {
                    let detail =
                        format!("`file` is sent at most {UPLOAD_FILES} times; {name} is too many.");
                    return Err(Problem::bad(detail));
                }
                save(path, field.bytes().await?).await
            }
            Some("mapping") => {
                let name = field.file_name().unwrap_or("mapping").to_owned();
                let parsed = ComparisonMapping::parse(&name, &field.text().await?);
                let wrong = |error| Problem::bad(format!("{error}.")).with("field", "mapping");
                self.mapping = parsed.map_err(wrong)?;
                Ok(())
            }
            Some("classifications") => {
                let name = field.file_name().unwrap_or(CLASSIFICATIONS).to_owned();
                let text = field.text().await?;
                let parsed = Classifications::parse(&name, &text).map_err(|error| {
                    Problem::bad(format!("{error}.")).with("field", CLASSIFICATIONS)
                });
                self.classifications = (parsed?, text);
                Ok(())
            }
            Some("rows") => {
                let most = field.text().await?.trim().parse();
                self.rows = most.map_err(|_| Problem::bad("rows is a whole number."))?;
                Ok(())
            }
            Some("explain") => {
                let most = field.text().await?.trim().parse().ok();
                let wrong = || Problem::bad("explain may be 0 to 10000.");
                self.explain = most.filter(|most| *most <= 10_000).ok_or_else(wrong)?;
                Ok(())
            }
            _ => Err(Problem::bad(
                "The parts of the form are `file`, `mapping`, `classifications`, `explain`, and \
                 `rows`.",
            )),
        }
    }
}

/// The name of a file without folders. It must not hide the file or be empty.
fn file_name(given: Option<&str>) -> ApiResult<String> {
    let name = given.and_then(|name| name.rsplit(['/', '\\']).next()).unwrap_or_default();
    let fits = (1..=NAME_BYTES).contains(&name.len())
        && !name.starts_with(['.', '~'])
        && !name.contains(char::is_control);
    match fits {
        true => Ok(name.to_owned()),
        false => Err(Problem::bad(format!(
            "Each `file` has a name of at most {NAME_BYTES} bytes, such as \
             pfill_powerfill_guide.csv."
        ))),
    }
}

async fn save(path: std::path::PathBuf, bytes: Bytes) -> ApiResult<()> {
    let saved = tokio::task::spawn_blocking(move || std::fs::write(path, bytes)).await;
    saved.map_err(|panic| internal(&panic))?.map_err(|error| internal(&error))
}

impl From<MultipartRejection> for Problem {
    fn from(rejection: MultipartRejection) -> Self {
        Self::new(ProblemKind::MediaType, rejection.body_text())
    }
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        let kind = match error.status().as_u16() {
            413 => ProblemKind::TooLarge,
            _ => ProblemKind::BadRequest,
        };
        Self::new(kind, error.body_text())
    }
}
