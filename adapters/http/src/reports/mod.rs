//! The reports of a run (specification 4.3): filtered and sorted pages of its output tables.
//!
//! A Complete run never changes. So a table that was read once stays valid, a cursor is the number
//! of a row, and an ETag follows from the run's output digest and the query.

mod page;
mod query;

use std::io;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::future::ready;
use futures::stream::{StreamExt, once, try_unfold};
use powerfill_app::certificate::recorded_certificate;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::table::{ReportSpec, TableRef};
use powerfill_tables::tables::reports;
use powerfill_xlsx::RunWorkbook;

pub(crate) use query::{DEFAULT_LIMIT, MAX_LIMIT};

use crate::accepted::tagged;
use crate::api::Api;
use crate::audit::when_permitted;
use crate::blocking::spawn_blocking;
use crate::caller::{Caller, Viewer};
use crate::extract::Query;
use crate::files::download_headers;
use crate::paging::page_headers;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::report_cache::{ReportCache, RunOutputs};
use crate::run_view::read_run;
use page::Page;
use query::{PageFormat, ReportQuery};

/// The media type of a workbook.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The most rows of a workbook: more than a person scrolls, and made within the time of an answer.
const MAX_WORKBOOK_ROWS: usize = 300_000;

/// A report: rows of an output table.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) table: TableRef,
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
    Viewer { caller, api }: Viewer,
    run: Result<Path<RunId>, PathRejection>,
    parameters: ApiResult<Query<Vec<(String, String)>>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (Path(run), Query(parameters)) = (run?, parameters?);
    let store: Arc<dyn Store> = caller.store().await?;
    let tenant = caller.tenant.id();
    let outputs = outputs_of(&api.report_cache, tenant, store.as_ref(), run).await?;
    let format = PageFormat::preferred(&headers);
    let query = Arc::new(ReportQuery::read(report, run, parameters, format)?);
    let tag = format!("W/\"{}\"", query.etag(&outputs.digest));
    let made = async {
        let page = read_page(&api, tenant, &store, &query).await?;
        Ok(match (query.is_whole, query.format) {
            (true, PageFormat::Xlsx) => {
                workbook(Arc::clone(&api), &caller, store, query, page).await?
            }
            (true, _) => whole(Arc::clone(&api), tenant.to_owned(), store, query, page),
            (false, _) => answer(&query, &page, &uri),
        })
    };
    let mut response = tagged(&headers, &tag, made).await?;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Reads a page from memory, or from the store if the table is too large.
async fn read_page(
    api: &Api,
    tenant: &str,
    store: &Arc<dyn Store>,
    query: &Arc<ReportQuery>,
) -> ApiResult<Page> {
    let (run, table) = (query.run, query.report.table);
    let outputs = outputs_of(&api.report_cache, tenant, store.as_ref(), run).await?;
    let count = outputs.counts.get(table.name).copied();
    match api.report_cache.table(tenant, store, run, (table, count)).await? {
        // Other requests must not wait while all rows are sorted or filtered.
        Some(table) if query.scans_table() => {
            let query = Arc::clone(query);
            spawn_blocking(async move || Ok(page::of_table(&query, &table))).await
        }
        Some(table) => Ok(page::of_table(query, &table)),
        None => {
            let starts = api.report_cache.row_starts(tenant, run, table).await;
            page::of_stream(query, store, &starts, count).await
        }
    }
}

/// All rows as one CSV. A page is read when the client has taken the one before it.
fn whole(
    api: Arc<Api>,
    tenant: String,
    store: Arc<dyn Store>,
    query: Arc<ReportQuery>,
    first: Page,
) -> Response {
    let headers = csv_headers(&query);
    let begin = page::csv(&query, &first.rows);
    let context = Arc::new((api, tenant, store, query));
    let rest = try_unfold(first.next, move |after| {
        let context = Arc::clone(&context);
        async move {
            let Some(after) = after else { return Ok(None) };
            let (api, tenant, store, query) = &*context;
            let query = Arc::new(query.following(after));
            let page = read_page(api, tenant, store, &query).await;
            // The client sees that the body has no end.
            let page = page.map_err(|_| io::Error::other("the report cannot be read on"))?;
            Ok(Some((page::csv_rows(&query, &page.rows), page.next)))
        }
    });
    let body = once(ready(Ok::<_, io::Error>(begin))).chain(rest);
    (headers, Body::from_stream(body)).into_response()
}

/// All rows as a workbook, which is made before the first byte is sent.
async fn workbook(
    api: Arc<Api>,
    caller: &Caller,
    store: Arc<dyn Store>,
    query: Arc<ReportQuery>,
    mut page: Page,
) -> ApiResult<Response> {
    let headers = file_headers(&query, XLSX, "xlsx");
    let (reading, tenant) = (Arc::clone(&api), caller.tenant.id().to_owned());
    let bytes = when_permitted(&api, caller, async move || {
        let table = query.report.table;
        let mut book = RunWorkbook::new(query.run, None, &[table]).map_err(|e| internal(&e))?;
        let mut rows = 0;
        loop {
            rows += page.rows.len();
            if rows > MAX_WORKBOOK_ROWS {
                let detail = format!(
                    "{} has more than {MAX_WORKBOOK_ROWS} rows with these filters: add a filter, \
                     or take it as CSV.",
                    query.report.spec.name
                );
                return Err(Problem::new(ProblemKind::Refused, detail));
            }
            book.add(&page.rows).map_err(|error| internal(&error))?;
            let Some(after) = page.next else { break };
            let next = Arc::new(query.following(after));
            page = read_page(&reading, &tenant, &store, &next).await?;
        }
        book.into_bytes(|_| true).map_err(|error| internal(&error))
    })
    .await?;
    Ok((headers, bytes).into_response())
}

fn csv_headers(query: &ReportQuery) -> HeaderMap {
    file_headers(query, "text/csv; charset=utf-8", "csv")
}

/// The headers of a file, which browsers store by the name of its report and run.
fn file_headers(query: &ReportQuery, media_type: &'static str, ending: &str) -> HeaderMap {
    let (report, run) = (query.report.spec.name, query.run);
    download_headers(media_type, &format!("{report}-{run}.{ending}"))
}

fn answer(query: &ReportQuery, page: &Page, uri: &Uri) -> Response {
    let next = page.next.map(|row| query.cursor(row));
    let (mut headers, body) = match query.format {
        PageFormat::Json => {
            let json = HeaderValue::from_static("application/json");
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
            (headers, page::json(query, &page.rows, next.as_deref()))
        }
        PageFormat::Csv | PageFormat::Xlsx => (csv_headers(query), page::csv(query, &page.rows)),
    };
    headers.extend(page_headers(uri, "cursor", next.as_deref(), page.total));
    if let Some(next) = next {
        let next = HeaderValue::from_str(&next);
        headers.extend(next.map(|next| (HeaderName::from_static("x-next-cursor"), next)));
    }
    (headers, body).into_response()
}

/// What tells apart the states of what is said of a Complete run: its output digest and its
/// certificate, which comes later.
///
/// # Errors
/// As for [`outputs_of`]; the store fails.
pub(crate) async fn result_version(
    api: &Api,
    caller: &Caller,
    store: &dyn Store,
    run: RunId,
) -> ApiResult<String> {
    let outputs = outputs_of(&api.report_cache, caller.tenant.id(), store, run).await?;
    let (digest, certificate) = (&outputs.digest, recorded_certificate(store, run).await?);
    Ok(certificate.map_or_else(|| digest.clone(), |own| format!("{digest}-{}", own.challenge)))
}

/// The outputs of a Complete run.
///
/// # Errors
/// If the run is not Complete; the problem says why.
pub(crate) async fn outputs_of(
    cache: &ReportCache,
    tenant: &str,
    store: &dyn Store,
    run: RunId,
) -> ApiResult<Arc<RunOutputs>> {
    if let Some(outputs) = cache.outputs(tenant, run).await {
        return Ok(outputs);
    }
    let view = read_run(store, run).await?;
    if let (Some(digest), Some(counts)) = (view.output_digest, view.counts) {
        return Ok(cache.keep_outputs(tenant, run, RunOutputs { digest, counts }).await);
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
