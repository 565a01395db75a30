//! Files that are part of the program, compressed when it was built.

use std::collections::BTreeMap;
use std::io::{self, Read};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use parking_lot::Mutex;

use crate::accepted::{is_known, lists};
use crate::problem::internal;

/// The contents that a caller who takes no gzip has asked for, by their compressed ones. Anyone may
/// ask, and as often as they like, so each is decompressed once.
static DECOMPRESSED: Mutex<BTreeMap<&[u8], Bytes>> = Mutex::new(BTreeMap::new());

/// A file that stays the same while the service runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StaticFile {
    pub(crate) media_type: &'static str,
    /// The content, as gzip.
    pub(crate) gzip: &'static [u8],
    pub(crate) cache_control: &'static str,
    pub(crate) vary: &'static str,
}

/// A file that `build.rs` has compressed.
macro_rules! compressed_file {
    ($name:literal, $media_type:literal) => {
        $crate::static_file::StaticFile {
            media_type: $media_type,
            gzip: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
            cache_control: "no-cache",
            vary: "accept-encoding",
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
            match self.decompressed() {
                Ok(content) => ([media_type], content).into_response(),
                Err(error) => return internal(&error).into_response(),
            }
        };
        let headers = answer.headers_mut();
        headers.insert(header::ETAG, etag);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        headers.insert(header::VARY, HeaderValue::from_static(self.vary));
        answer
    }

    fn decompressed(self) -> io::Result<Bytes> {
        let mut decompressed = DECOMPRESSED.lock();
        if let Some(content) = decompressed.get(self.gzip) {
            return Ok(content.clone());
        }
        let mut content = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut content)?;
        let content = Bytes::from(content);
        decompressed.insert(self.gzip, content.clone());
        Ok(content)
    }
}
