//! Path, query and body, whose faults are problems.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Json, Request};
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::problem::{Answer, Problem, ProblemKind};

/// The parts of a path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub(crate) T);

/// The query.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub(crate) T);

/// A body of JSON, which has to come in time.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Arc<Api>) -> Answer<Self> {
        let patience = api.limits.patience;
        let read = tokio::time::timeout(patience, Json::from_request(request, api));
        let late = |_| {
            let detail = format!("The body was not there within {} s.", patience.as_secs());
            Problem::new(ProblemKind::TooSlow, detail)
        };
        let Json(body) = read.await.map_err(late)??;
        Ok(Self(body))
    }
}
