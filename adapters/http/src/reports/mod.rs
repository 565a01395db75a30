//! The reports of a run (specification 4.3): filtered and sorted pages of its output tables.
//!
//! A Complete run never changes. So a table that was read once stays valid, a cursor is the number
//! of a row, and an ETag follows from the run's output digest and the query.

mod page;
mod query;

use std::sync::{Arc, LazyLock};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::table::{ReportSpec, TableSpec};
use powerfill_tables::tables::reports;
use uuid::Uuid;

pub(crate) use query::{DEFAULT_LIMIT, MAX_LIMIT};

use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::caller::Viewer;
use crate::extract::Query;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::report_cache::ReportCache;
use crate::run_view::read_run;
use query::{PageFormat, ReportQuery};

/// A report: rows of an output table.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) table: &'static TableSpec,
    pub(crate) spec: &'static ReportSpec,
}

impl Report {
    pub(crate) fn path(&self) -> String {
        format!("/api/powerfill/runs/{{run_id}}/{}", self.spec.name)
    }
}

/// The reports, in the order of 4.3.
pub(crate) static REPORTS: LazyLock<Vec<Report>> =
    LazyLock::new(|| reports().into_iter().map(|(table, spec)| Report { table, spec }).collect());

/// A page of a report.
pub(crate) async fn show(
    report: &'static Report,
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    run: Result<Path<Uuid>, PathRejection>,
    parameters: ApiResult<Query<Vec<(String, String)>>>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let run = RunId(run?.0);
    let Query(parameters) = parameters?;
    let store = caller.store().await?;
    let tenant = caller.tenant.id();
    let digest = output_digest(&api.report_cache, tenant, store.as_ref(), run).await?;
    let query = Arc::new(ReportQuery::read(report, run, parameters)?);
    let tag = format!("W/\"{}\"", query.etag(&digest));
    let mut response = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let page = match api.report_cache.table(tenant, &store, run, report.table).await? {
            // Other requests must not wait while all rows are sorted or filtered.
            Some(table) if query.scans_table() => {
                let query = Arc::clone(&query);
                spawn_blocking(async move || Ok(page::of_table(&query, &table))).await?
            }
            Some(table) => page::of_table(&query, &table),
            None => {
                let starts = api.report_cache.row_starts(tenant, run, report.table).await;
                page::of_stream(&query, &store, &starts).await?
            }
        };
        answer(&query, &page)
    };
    add_tag(&mut response, &tag)?;
    Ok(response)
}

/// Whether the caller has the answer with this tag.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
    known.any(|known| known.trim() == tag || known.trim() == "*")
}

/// Adds the tag to an answer, and says that only its caller may keep it.
pub(crate) fn add_tag(response: &mut Response, tag: &str) -> ApiResult<()> {
    let etag = HeaderValue::from_str(tag).map_err(|error| internal(&error))?;
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.append(header::VARY, HeaderValue::from_static("authorization, x-tenant-id"));
    Ok(())
}

fn answer(query: &ReportQuery, page: &page::Page) -> Response {
    let next = page.next.map(|row| query.cursor(row));
    let (media_type, body) = match query.format {
        PageFormat::Json => ("application/json", page::json(query, &page.rows, next.as_deref())),
        PageFormat::Csv => ("text/csv; charset=utf-8", page::csv(query, &page.rows)),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        headers.insert("x-next-cursor", next);
    }
    (headers, body).into_response()
}

/// The output digest of a Complete run.
///
/// # Errors
/// If the run is not Complete; the problem says why.
pub(crate) async fn output_digest(
    cache: &ReportCache,
    tenant: &str,
    store: &dyn Store,
    run: RunId,
) -> ApiResult<Arc<str>> {
    if let Some(digest) = cache.digest(tenant, run).await {
        return Ok(digest);
    }
    let view = read_run(store, run).await?;
    if let Some(digest) = view.output_digest {
        return Ok(cache.keep_digest(tenant, run, &digest).await);
    }
    let status = &*view.summary.status;
    let detail = match (&view.failure, &view.cancelled_by) {
        (Some(failed), _) => format!("Run {run} failed at {}: {}", failed.step, failed.message),
        (None, Some(by)) => format!("Run {run} was cancelled by {by}."),
        (None, None) => format!("Run {run} is {status}; it has reports once it is Complete."),
    };
    let mut problem = Problem::new(ProblemKind::RunNotComplete, detail).with("run_status", status);
    if let Some(step) = view.step {
        problem = problem.with("step", step);
    }
    if let Some(failed) = view.failure {
        problem = problem.with("code", failed.code).with("message", failed.message);
    }
    Err(problem)
}
