//! Files of a run to keep (specification 3.4, 4.2): its evidence, its tables as a workbook, its
//! report, and its certificate.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::try_unfold;
use powerfill_events::run::RunId;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::accepted::tagged;
use crate::api::Api;
use crate::audit::audit;
use crate::caller::{Caller, Viewer};
use crate::extract::Path;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::reports::{outputs_of, result_version};
use crate::run_view::logged_run;
use crate::tenant::RunFile;

/// The bytes that are read from a file at a time.
const CHUNK: usize = 256 * 1024;

/// The evidence of a run that is over, as `powerfill evidence export` writes it: a file that a
/// receiver checks with `powerfill evidence verify`, without the store.
#[utoipa::path(get, operation_id = "evidence", path = "/api/powerfill/runs/{run_id}/evidence",
    tag = "audit", params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The file", content_type = "application/zip",
            body = Vec<u8>,
            headers(("ETag" = String, description = "For If-None-Match"),
                ("Content-Disposition" = String, description = "The name of the file"))),
        (status = 304, description = "The file has not changed since If-None-Match"),
        (status = 409)))]
pub(crate) async fn evidence(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let store = caller.store().await?;
    let status = logged_run(store.as_ref(), run).await?.status;
    if !status.is_over() {
        let detail = format!("Run {run} is {}; it has evidence when it is over.", status.name());
        return Err(Problem::new(ProblemKind::RunActive, detail).with("run_id", run.to_string()));
    }
    // Its events do not change any more.
    let tag = format!("W/\"evidence-{run}-{}\"", env!("CARGO_PKG_VERSION"));
    answer(&api, &caller, &headers, run, RunFile::Evidence, &tag).await
}

/// The tables of a Complete run as a workbook, with its summary first, as `powerfill run --out
/// run.xlsx` writes it: without the candidates and the ranked synthetic options.
#[utoipa::path(get, operation_id = "workbook", path = "/api/powerfill/runs/{run_id}/workbook",
    tag = "reports", params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The file",
            content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            body = Vec<u8>,
            headers(("ETag" = String, description = "For If-None-Match"),
                ("Content-Disposition" = String, description = "The name of the file"))),
        (status = 304, description = "The file has not changed since If-None-Match"),
        (status = 409)))]
pub(crate) async fn workbook(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    answer_of_result(&api, &caller, &headers, run, RunFile::Workbook, "workbook").await
}

/// The report of a Complete run as one page, as `powerfill report --out` writes it.
#[utoipa::path(get, operation_id = "report", path = "/api/powerfill/runs/{run_id}/report",
    tag = "reports", params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The page", content_type = "text/html", body = String,
            headers(("ETag" = String, description = "For If-None-Match"),
                ("Content-Disposition" = String, description = "The name of the file"))),
        (status = 304, description = "The page has not changed since If-None-Match"),
        (status = 409)))]
pub(crate) async fn report(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    answer_of_result(&api, &caller, &headers, run, RunFile::Report, "report").await
}

/// What an auditor files of a Complete run, as `powerfill report --audit --out` writes it: run,
/// input, and options, and that it verifies and is reproduced now, with room to sign.
#[utoipa::path(get, operation_id = "audit_certificate", tag = "audit",
    path = "/api/powerfill/runs/{run_id}/audit-certificate",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The page", content_type = "text/html", body = String,
            headers(("Content-Disposition" = String, description = "The name of the file"))),
        (status = 409)))]
pub(crate) async fn audit_certificate(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Response> {
    let store = caller.store().await?;
    outputs_of(&api.report_cache, caller.tenant.id(), store.as_ref(), run).await?;
    // It says what is true now: no tag stands for it.
    let mut page = file(&api, &caller, run, RunFile::Certificate).await?;
    page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(page)
}

/// A file that follows from the result of a Complete run.
async fn answer_of_result(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    run: RunId,
    kind: RunFile,
    name: &str,
) -> ApiResult<Response> {
    let result = result_version(api, caller, caller.store().await?.as_ref(), run).await?;
    let tag = format!("W/\"{name}-{result}-{}\"", env!("CARGO_PKG_VERSION"));
    answer(api, caller, headers, run, kind, &tag).await
}

/// A file, unless the caller has it by its tag.
async fn answer(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    run: RunId,
    kind: RunFile,
    tag: &str,
) -> ApiResult<Response> {
    tagged(headers, tag, file(api, caller, run, kind)).await
}

/// Writes a file in a folder that is deleted when it was sent.
async fn file(api: &Api, caller: &Caller, run: RunId, kind: RunFile) -> ApiResult<Response> {
    let tenant = Arc::clone(&caller.tenant);
    let (folder, file) = audit(api, caller, &[run], async move |_| {
        let folder = tempfile::tempdir().map_err(|error| internal(&error))?;
        let path = folder.path().join("file");
        tenant.write_file(run, kind, &path).await.map_err(|error| internal(&error))?;
        let file = File::open(path).map_err(|error| internal(&error))?;
        Ok((folder, file))
    })
    .await?;
    let length = file.metadata().map_err(|error| internal(&error))?.len();
    let (media_type, ending) = kind.media_type();
    let mut headers = download_headers(media_type, &format!("{run}.{ending}"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    Ok((headers, Body::from_stream(chunks(folder, file))).into_response())
}

/// The headers of a file with a name, under which browsers store it.
pub(crate) fn download_headers(media_type: &'static str, name: &str) -> HeaderMap {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let mut headers = HeaderMap::from_iter([content_type]);
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    headers.extend(name.map(|name| (header::CONTENT_DISPOSITION, name)));
    headers
}

/// A file in chunks. A chunk is read when the client has taken the one before it.
fn chunks(
    folder: TempDir,
    file: File,
) -> impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static {
    try_unfold((folder, file), |(folder, mut file)| async move {
        let read = spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).map(|_| (chunk, file))
        });
        let (chunk, file) = read.await.map_err(io::Error::other)??;
        Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), (folder, file))))
    })
}
