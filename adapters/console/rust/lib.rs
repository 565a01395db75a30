//! The built files of the console (specification 4.3), inside the program: no file beside it, no
//! other server, and no compression per request.
//!
//! The sources are TypeScript, in `adapters/console/src`; what they are built into is
//! `adapters/console/dist`, which the repository has, so that Rust alone builds the program.

use std::io::Read;

use flate2::read::GzDecoder;

/// The page that every path of the console begins with.
const INDEX: &str = "index.html";

/// The report of one run as a page, which gets the data of the run inside.
const REPORT: &str = "report.html";

/// The files whose names have a hash of their content.
const HASHED: &str = "assets/";

/// A file of the console.
#[derive(Debug)]
pub struct Asset {
    /// Its path in `dist`.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content, as gzip.
    pub gzip: &'static [u8],
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// Its content.
    ///
    /// # Errors
    /// Never for a file that the build compressed.
    pub fn content(&self) -> std::io::Result<Vec<u8>> {
        let mut content = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Whether another content would have another name, so that a browser never asks again.
    pub fn is_immutable(&self) -> bool {
        self.path.starts_with(HASHED)
    }
}

/// The file with this path.
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path && asset.path != REPORT)
}

/// The page of the console. It shows what the path of the browser says.
pub fn index() -> Option<&'static Asset> {
    asset(INDEX)
}

/// The page of a report, without data; `None` if `dist` has none.
pub fn report_page() -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == REPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_content_back() {
        let page = String::from_utf8(index().unwrap().content().unwrap()).unwrap();
        assert!(page.starts_with("<!doctype html>"), "{page}");
        for asset in ASSETS {
            let file = std::fs::read(std::path::Path::new("../dist").join(asset.path)).unwrap();
            assert_eq!(asset.content().unwrap(), file, "{}", asset.path);
        }
    }

    #[test]
    fn the_report_is_no_page_of_the_console() {
        assert!(asset(REPORT).is_none());
        assert!(asset("nothing.js").is_none());
    }
}
