//! Every route, and the OpenAPI document that is generated from the routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, any, get};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
#[cfg(feature = "document")]
use utoipa::OpenApi;

use crate::access::log_request;
use crate::api::Api;
use crate::problem::{Problem, ProblemKind};
use crate::routing::{DocumentSink, NoDocument, Routes, boxed, routes};
use crate::{
    adoption, annotations, audit, brief, candidates, challenges, config, console, constraint_use,
    documentation, events, explain, files, health, input, jobs, latest, lookup, operate, options,
    overview, reports, rules, runs, session, stream, track, tries,
};

#[cfg(feature = "document")]
#[derive(OpenApi)]
#[openapi(info(
    title = "PowerFill",
    description = "Runs of a tenant, their reports, events, and stories. Decimals are strings; \
                   errors are application/problem+json."
))]
struct ApiDoc;

/// The routes that the document has from their attributes.
fn documented_routes<D: DocumentSink>(document: D) -> Routes<D> {
    let routes = Routes::new(document)
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(health::status))
        .routes(routes!(session::show, session::begin, session::end))
        .routes(routes!(input::preflight))
        .routes(routes!(input::preprocess))
        .routes(routes!(input::run))
        .routes(routes!(candidates::preview))
        .routes(routes!(config::history::show))
        .routes(routes!(config::history::changes))
        .routes(routes!(config::constraints::add))
        .routes(routes!(config::constraints::reprioritize))
        .routes(routes!(config::carry::preview))
        .routes(routes!(config::lockdown::lock_pools))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(latest::show))
        .routes(routes!(runs::cancel))
        .routes(routes!(overview::show))
        .routes(routes!(challenges::show))
        .routes(routes!(adoption::adopt))
        .routes(routes!(annotations::show, annotations::add))
        .routes(routes!(events::list_of_run))
        .routes(routes!(events::list_all))
        .routes(routes!(stream::stream))
        .routes(routes!(stream::ticket))
        .routes(routes!(track::timeline))
        .routes(routes!(track::state))
        .routes(routes!(lookup::steps))
        .routes(routes!(lookup::search))
        .routes(routes!(rules::preview))
        .routes(routes!(options::list))
        .routes(routes!(constraint_use::show))
        .routes(routes!(operate::show))
        .routes(routes!(operate::storage))
        .routes(routes!(explain::explain_loan_in_run))
        .routes(routes!(explain::explain_trade_in_run))
        .routes(routes!(explain::what_if))
        .routes(routes!(audit::replay_run))
        .routes(routes!(audit::verify_run))
        .routes(routes!(audit::diff_runs))
        .routes(routes!(files::evidence))
        .routes(routes!(files::workbook))
        .routes(routes!(files::report))
        .routes(routes!(files::audit_certificate))
        .routes(routes!(brief::show))
        .routes(routes!(tries::try_edits))
        .routes(routes!(tries::keep_scenario));
    job_routes(routes)
}

/// Adds the routes of jobs.
fn job_routes<D: DocumentSink>(routes: Routes<D>) -> Routes<D> {
    routes
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::result))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::verification::request))
        .routes(routes!(jobs::verification::seal))
        .routes(routes!(jobs::replay::request))
        .routes(routes!(jobs::comparison::compare_with_run))
        .routes(routes!(jobs::comparison::compare_export).map(take_uploads))
        .routes(routes!(jobs::challenge::request, challenges::list))
        .routes(routes!(jobs::comparison::draft_mapping).map(take_uploads))
}

fn take_uploads(route: MethodRouter<Arc<Api>>) -> MethodRouter<Arc<Api>> {
    route.layer(DefaultBodyLimit::max(jobs::UPLOAD_BYTES))
}

/// The OpenAPI document, made of the routes. The service serves what a test has written of it.
#[cfg(feature = "document")]
pub fn openapi() -> serde_json::Value {
    crate::document::complete(documented_routes(ApiDoc::openapi()).document)
}

/// The service, without a listener.
pub fn router(api: Arc<Api>) -> Router {
    let router = config::resource::add_routes(documented_routes(NoDocument).router);
    let below_latest = format!("{}/{{*rest}}", latest::LATEST);
    let mut router = router.route(&below_latest, any(boxed(latest::show)));
    for report in reports::REPORTS.iter() {
        let page = move |viewer, run, query, uri, headers| {
            reports::show(report, viewer, run, query, uri, headers)
        };
        router = router.route(&report.path(), get(boxed(page)));
    }
    documentation::add_routes(router)
        .fallback(console::serve)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(api.limits.body))
        .layer(CatchPanicLayer::custom(|_| {
            // The message of the panic is on standard error.
            Problem::new(ProblemKind::Internal, "The service has a fault.").into_response()
        }))
        .layer(from_fn(session::tenant_from_query))
        .layer(from_fn_with_state(Arc::clone(&api), log_request))
        .layer(CompressionLayer::new())
        .with_state(api)
}

/// The routes of the monitoring, which has an address of its own.
pub(crate) fn metrics_router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::all_metrics))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(&api), log_request))
        .with_state(api)
}

pub(crate) async fn no_such_path(uri: Uri) -> Problem {
    let detail =
        format!("There is no {}; /api/powerfill/openapi.json lists the paths.", uri.path());
    Problem::new(ProblemKind::NoSuchPath, detail)
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let detail =
        format!("{} has no {method}; /api/powerfill/openapi.json lists its methods.", uri.path());
    Problem::new(ProblemKind::MethodNotAllowed, detail)
}
