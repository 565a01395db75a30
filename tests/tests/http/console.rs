//! The console's files over HTTP: who gets its page, and what each answer says to the browser.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::Request;

use crate::service::{Answer, Service};

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn send(service: &Service, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    service.send(request.body(Body::empty()).unwrap()).await
}

async fn browse(service: &Service, path: &str) -> Answer {
    send(service, "GET", path, &[("accept", BROWSER)]).await
}

#[tokio::test]
async fn a_browser_gets_the_page_at_every_path_that_is_none_of_the_api() {
    let service = Service::new();
    let page = browse(&service, "/").await.ok();
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers["cache-control"], "no-cache");
    assert!(page.text().to_lowercase().starts_with("<!doctype html>"), "{}", page.text());
    for path in ["/runs", "/runs/1/loans/a%2Fb?tab=2", "/configuration", "/index.html"] {
        assert_eq!(browse(&service, path).await.ok().body, page.body, "{path}");
    }
    for path in ["/api/powerfill/nothing", "/api/other", "/assets/none.js", "/healthz/more"] {
        browse(&service, path).await.expect_problem(404, "no-such-path");
    }
    // A report needs the data of a run.
    assert_eq!(browse(&service, "/report.html").await.ok().body, page.body);
}

#[tokio::test]
async fn a_program_gets_the_problem_that_it_always_got() {
    let service = Service::new();
    for headers in [vec![], vec![("accept", "*/*")], vec![("accept", "application/json")]] {
        for path in ["/", "/runs"] {
            send(&service, "GET", path, &headers).await.expect_problem(404, "no-such-path");
        }
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = send(&service, method, "/", &[("accept", BROWSER)]).await;
        answer.expect_problem(404, "no-such-path");
    }
    let refused = [("accept", "text/html;q=0, application/json")];
    send(&service, "GET", "/", &refused).await.expect_problem(404, "no-such-path");
}

#[tokio::test]
async fn every_file_is_safe_and_unchanged() {
    let service = Service::new();
    for (path, file) in files() {
        let plain = send(&service, "GET", &path, &[]).await.ok();
        assert_eq!(plain.body, std::fs::read(&file).unwrap(), "{path}");
        let policy = plain.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.ends_with("; frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("'un"), "{policy}");
        assert_eq!(plain.headers["x-content-type-options"], "nosniff");
        assert_eq!(plain.headers["referrer-policy"], "no-referrer");
        let is_hashed = path.starts_with("/assets/");
        let caching = plain.headers["cache-control"].to_str().unwrap();
        assert_eq!(caching.contains("immutable"), is_hashed, "{path}");
        let gzip = send(&service, "GET", &path, &[("accept-encoding", "br, gzip;q=0.5")]).await;
        assert_eq!(gzip.decompressed().as_bytes(), plain.body, "{path}");
        assert_eq!(gzip.headers["etag"], plain.headers["etag"]);
        let etag = plain.headers["etag"].to_str().unwrap();
        let again = send(&service, "GET", &path, &[("if-none-match", etag)]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.headers["cache-control"], plain.headers["cache-control"]);
    }
}

/// The files of the build with their paths over HTTP, without the report's page.
fn files() -> Vec<(String, PathBuf)> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/console/dist");
    let mut folders = vec![dist.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let path = format!("/{}", file.strip_prefix(&dist).unwrap().to_str().unwrap());
            match file.is_dir() {
                true => folders.push(file),
                false if path != "/report.html" => files.push((path, file)),
                false => {}
            }
        }
    }
    assert!(files.iter().any(|(path, _)| path == "/index.html"), "{files:?}");
    files
}
