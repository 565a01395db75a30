//! A text that stays the same while the service runs, compressed once.

use std::io::Write;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::accepted::{is_known, lists};

/// A text of JSON.
#[derive(Clone)]
pub(crate) struct StaticText {
    plain: Bytes,
    /// Absent if it could not be compressed.
    gzip: Option<Bytes>,
    etag: HeaderValue,
}

impl StaticText {
    pub(crate) fn new(text: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).ok();
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let etag = HeaderValue::from_str(&format!("W/\"{}\"", &hash[..32]));
        let etag = etag.expect("digits in quotes are the value of a header");
        Self { plain: text.into(), gzip: gzip.map(Bytes::from), etag }
    }

    /// The answer to a request with these headers.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut answer = match &self.gzip {
            _ if is_known(headers, &self.etag) => StatusCode::NOT_MODIFIED.into_response(),
            Some(gzip) if lists(headers, header::ACCEPT_ENCODING, "gzip") => {
                let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                ([json, encoding], gzip.clone()).into_response()
            }
            _ => ([json], self.plain.clone()).into_response(),
        };
        let headers = answer.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        answer
    }
}
