//! What a caller accepts, and what it has already, by its headers.

use axum::http::{HeaderMap, HeaderName, header};

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

/// Whether the caller has the answer with this tag.
pub(crate) fn is_known(headers: &HeaderMap, tag: impl AsRef<[u8]>) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
    known.any(|known| known.trim().as_bytes() == tag.as_ref() || known.trim() == "*")
}
