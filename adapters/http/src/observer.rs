//! What an answered request is to metrics and traces.

use std::time::Duration;

use axum::http::Method;

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredRequest<'a> {
    /// Its id, which is in the log too.
    pub id: &'a str,
    /// Its method, or `other`: a caller must not be able to make series with invented methods.
    pub method: &'a str,
    /// The path of the OpenAPI document, because an id must not make a series of its own; `None` if
    /// there is no such path.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// The tenant, if the caller was admitted.
    pub tenant: Option<&'a str>,
    /// The header `traceparent`, if the caller sent a valid one.
    pub traceparent: Option<&'a str>,
    /// The time from the head of the request to the head of its answer.
    pub lasted: Duration,
}

impl AnsweredRequest<'_> {
    /// The path, or a word for all others.
    pub fn route_or_none(&self) -> &str {
        self.route.unwrap_or("none")
    }
}

/// The methods that have series of their own.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];

pub(crate) fn method_label(method: &Method) -> &str {
    Some(method.as_str()).filter(|method| METHODS.contains(method)).unwrap_or("other")
}

/// Receives requests when they are answered, and influences nothing.
pub trait RequestObserver: Send + Sync {
    /// Receives a request. It must not block for long.
    fn answered(&self, request: &AnsweredRequest<'_>);
}
