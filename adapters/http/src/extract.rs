//! Path, query, and body of a request. Their faults are problems.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Json, Request};
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::problem::{ApiResult, Problem, ProblemKind};

/// The parts of a path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub(crate) T);

/// The query.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub(crate) T);

/// A JSON body, which must arrive in time.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Arc<Api>) -> ApiResult<Self> {
        let timeout = api.limits.request_timeout;
        let late = |_| {
            let detail = format!("The body did not arrive within {} s.", timeout.as_secs());
            Problem::new(ProblemKind::TooSlow, detail)
        };
        let read = tokio::time::timeout(timeout, Json::from_request(request, api));
        let Json(body) = read.await.map_err(late)??;
        Ok(Self(body))
    }
}
