//! The reports of a run (specification 4.3): pages of its output tables, filtered and sorted.
//!
//! * [`catalog`]: which report is which table
//! * [`question`]: what is asked of one: filters, order, cursor
//! * [`shelf`]: tables of runs in memory, bounded
//! * [`page`]: the rows of a page, and its text
//!
//! A run that is Complete does not change any more, so that a table that was read once is right for
//! ever, a place in it is a row's number, and an ETag follows from the run's output digest and the
//! question.

mod catalog;
mod page;
mod question;
mod shelf;

use std::sync::Arc;

use axum::extract::{Path as Parts, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use uuid::Uuid;

pub(crate) use catalog::{ALL, Report};
pub(crate) use question::{MOST, USUAL};
pub(crate) use shelf::{Shelves, aside};

use crate::api::Api;
use crate::caller::Viewer;
use crate::extract::Query;
use crate::problem::{Answer, Problem, ProblemKind};
use crate::runs::look;
use question::{Form, Question};

/// A page of a report.
pub(crate) async fn report(
    report: &'static Report,
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    run: Result<Parts<Uuid>, axum::extract::rejection::PathRejection>,
    query: Answer<Query<Vec<(String, String)>>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let run = RunId(run?.0);
    let Query(asked) = query?;
    let store = caller.store().await?;
    let tenant = caller.tenant.id();
    let digest = complete(&api.shelves, tenant, store.as_ref(), run).await?;
    let question = Arc::new(Question::read(report, run, asked)?);
    let tag = format!("W/\"{}\"", question.tag(&digest));
    let etag = HeaderValue::from_str(&tag).map_err(|error| crate::problem::internal(&error))?;
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let known = known.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
    let mut response = if known.map(str::trim).any(|known| known == tag || known == "*") {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let found = match api.shelves.table(tenant, &store, run, report.table).await? {
            // Sorting, or looking through all rows, takes longer than other requests are to wait.
            Some(shelf) if question.looks_through() => {
                let question = Arc::clone(&question);
                aside(async move || Ok(page::of_shelf(&question, &shelf))).await?
            }
            Some(shelf) => page::of_shelf(&question, &shelf),
            None => page::of_stream(&question, &store).await?,
        };
        answer(&question, &found)
    };
    response.headers_mut().insert(header::ETAG, etag);
    let private = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, private);
    let vary = HeaderValue::from_static("authorization, x-tenant-id");
    response.headers_mut().append(header::VARY, vary);
    Ok(response)
}

fn answer(question: &Question, found: &page::Page) -> Response {
    let next = found.next.map(|row| question.cursor(row));
    let mut headers = HeaderMap::new();
    let kind = match question.form {
        Form::Json => "application/json",
        Form::Csv => "text/csv; charset=utf-8",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(next) = &next
        && let Ok(next) = HeaderValue::from_str(next)
    {
        headers.insert("x-next-cursor", next);
    }
    let body = match question.form {
        Form::Json => page::json(question, &found.rows, next.as_deref()),
        Form::Csv => page::csv(question, &found.rows),
    };
    (headers, body).into_response()
}

/// The output digest of a run, which it has once it is Complete; any other run has no reports, and
/// is told why.
async fn complete(
    shelves: &Shelves,
    tenant: &str,
    store: &dyn Store,
    run: RunId,
) -> Answer<Arc<str>> {
    if let Some(digest) = shelves.digest(tenant, run) {
        return Ok(digest);
    }
    let view = look(store, run).await?;
    if let Some(digest) = view.output_digest {
        return Ok(shelves.remember(tenant, run, &digest));
    }
    let status = view.head.status();
    let detail = match (&view.failure, &view.cancelled_by) {
        (Some(failed), _) => format!("Run {run} failed at {}: {}", failed.step, failed.message),
        (None, Some(by)) => format!("Run {run} was cancelled by {by}."),
        (None, None) => {
            format!("Run {run} is {status}; its reports are there once it is Complete.")
        }
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
