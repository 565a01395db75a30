//! Comparisons as jobs: of two runs, and of a run with the files of an export.

use std::error::Error;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::response::Response;
use bytes::Bytes;
use powerfill_app::compare::compare_with;
use powerfill_diff::mapping::ComparisonMapping;
use powerfill_diff::report::json;
use powerfill_diff::{Comparison, Interner};
use powerfill_events::run::RunId;
use tempfile::TempDir;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Job, JobKind, JobResult, JobView, start};
use crate::api::Api;
use crate::audit::{DiffRequest, find_runs};
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
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
    Body(request): Body<DiffRequest>,
) -> ApiResult<Response> {
    let comparing = request.checked(RunId(run))?;
    let store = find_runs(&caller, &comparing.runs).await?;
    start(&api, caller, (JobKind::Comparison, Some(RunId(run))), async move |job: Arc<Job>| {
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
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
    form: Result<Multipart, MultipartRejection>,
) -> ApiResult<Response> {
    let run = RunId(run);
    let store = find_runs(&caller, &[run]).await?;
    let late = |_| Problem::new(ProblemKind::TooSlow, "The files did not arrive in time.");
    let upload = timeout(api.limits.upload_timeout, Upload::receive(form?));
    let Upload { folder, mapping, explain, .. } = upload.await.map_err(late)??;
    let tenant = Arc::clone(&caller.tenant);
    start(&api, caller, (JobKind::ExportComparison, Some(run)), async move |job: Arc<Job>| {
        job.note_progress("read", 0, 2);
        let export = |names: &mut Interner| {
            let read = tenant.read_export(folder.path(), &mapping, names);
            job.note_progress("compare", 1, 2);
            read.map_err(|error| unreadable(folder.path(), error.as_ref()))
        };
        result_of(&compare_with(store.as_ref(), run, export, &mapping, explain).await?)
    })
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
    explain: usize,
}

impl Upload {
    async fn receive(mut form: Multipart) -> ApiResult<Self> {
        let folder = tempfile::tempdir().map_err(|error| internal(&error))?;
        let mapping = ComparisonMapping::default();
        let mut upload = Self { folder, files: 0, mapping, explain: 1_000 };
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
                self.mapping = parsed.map_err(|error| Problem::bad(format!("{error}.")))?;
                Ok(())
            }
            Some("explain") => {
                let most = field.text().await?.trim().parse().ok();
                let wrong = || Problem::bad("explain may be 0 to 10000.");
                self.explain = most.filter(|most| *most <= 10_000).ok_or_else(wrong)?;
                Ok(())
            }
            _ => Err(Problem::bad("The parts of the form are `file`, `mapping`, and `explain`.")),
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
