//! Files that are part of the program, as `build.rs` has compressed them.

use std::io::Read;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use crate::accepted::{is_known, lists};
use crate::problem::internal;

/// A file that stays the same while the service runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StaticFile {
    pub(crate) media_type: &'static str,
    /// The content, as gzip.
    pub(crate) gzip: &'static [u8],
}

/// A file that `build.rs` has compressed.
macro_rules! compressed_file {
    ($name:literal, $media_type:literal) => {
        $crate::static_file::StaticFile {
            media_type: $media_type,
            gzip: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
        }
    };
}

pub(crate) use compressed_file;

impl StaticFile {
    /// The answer to a request with these headers.
    pub(crate) fn answer(self, headers: &HeaderMap) -> Response {
        let etag = format!("W/\"{}\"", &blake3::hash(self.gzip).to_hex()[..32]);
        let etag =
            HeaderValue::from_str(&etag).expect("digits in quotes are the value of a header");
        let media_type = (header::CONTENT_TYPE, self.media_type);
        let mut answer = if is_known(headers, &etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if lists(headers, header::ACCEPT_ENCODING, "gzip") {
            ([media_type, (header::CONTENT_ENCODING, "gzip")], self.gzip).into_response()
        } else {
            let mut content = Vec::new();
            match GzDecoder::new(self.gzip).read_to_end(&mut content) {
                Ok(_) => ([media_type], content).into_response(),
                Err(error) => internal(&error).into_response(),
            }
        };
        let headers = answer.headers_mut();
        headers.insert(header::ETAG, etag);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        answer
    }
}
