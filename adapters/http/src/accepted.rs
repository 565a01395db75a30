//! What a caller accepts, and what it has already, by its headers.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problem::{ApiResult, internal};

/// Whether a header lists a value, and does not refuse it with `q=0`.
pub(crate) fn lists(headers: &HeaderMap, name: HeaderName, value: &str) -> bool {
    let texts = headers.get_all(name).iter().filter_map(|text| text.to_str().ok());
    let mut values = texts.flat_map(|text| text.split(',')).map(|one| {
        let mut parts = one.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let is_zero = |part: &str| part.starts_with("q=0") && part.trim_end_matches('0').len() <= 4;
        (name, parts.any(is_zero))
    });
    values.any(|(name, is_refused)| name.eq_ignore_ascii_case(value) && !is_refused)
}

/// The answer, or 304 without a body if the caller has it by its ETag.
pub(crate) fn unless_known(headers: &HeaderMap, mut answer: Response) -> Response {
    let tag = answer.headers().get(header::ETAG);
    if tag.is_some_and(|tag| is_known(headers, tag)) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Body::empty();
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            answer.headers_mut().remove(name);
        }
    }
    answer
}

/// The answer with its tag, or 304 if the caller has it; then it is not made. Only its caller may
/// keep it.
pub(crate) async fn tagged(
    headers: &HeaderMap,
    tag: &str,
    make: impl Future<Output = ApiResult<Response>>,
) -> ApiResult<Response> {
    let etag = HeaderValue::from_str(tag).map_err(|error| internal(&error))?;
    let mut answer = match is_known(headers, tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => make.await?,
    };
    let head = answer.headers_mut();
    head.insert(header::ETAG, etag);
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    head.append(header::VARY, HeaderValue::from_static("authorization, x-tenant-id"));
    Ok(answer)
}

/// Whether the caller has the answer with this tag. A weak tag counts as a strong one.
pub(crate) fn is_known(headers: &HeaderMap, tag: impl AsRef<[u8]>) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
    let tag = tag.as_ref().strip_prefix(b"W/").unwrap_or(tag.as_ref());
    known.any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag
    })
}
