//! Path, query, and body of a request. Their faults are problems.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Json, Request};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::api::Api;
use crate::problem::{ApiResult, Problem, ProblemKind};

/// The parts of a path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub(crate) T);

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub(crate) T);

/// A JSON object in the body, which must arrive in time.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Arc<Api>) -> ApiResult<Self> {
        let timeout = api.limits.request_timeout;
        let late = |_| {
            let detail = format!("The body did not arrive within {} s.", timeout.as_secs());
            Problem::new(ProblemKind::TooSlow, detail)
        };
        let read = tokio::time::timeout(timeout, Json::<Box<RawValue>>::from_request(request, api));
        let Json(text) = read.await.map_err(late)??;
        // serde would also take an array, as the fields in their order.
        if !text.get().starts_with('{') {
            return Err(Problem::bad("The body must be a JSON object."));
        }
        let Json(body) = Json::from_bytes(text.get().as_bytes())?;
        Ok(Self(body))
    }
}
