//! What all operations have in common: pages, conditional reads, limits in headers, compression,
//! and files.

use std::num::NonZeroU32;

use powerfill_evidence::Expectation;
use powerfill_http::Limits;
use powerfill_http::tokens::TokenRole;
use tower::ServiceExt;

use crate::service::{Answer, Service};

const CASE: &str = "12-kickout-reasons";

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

/// The paths of the pages that a path begins, by their links.
async fn follow(service: &Service, path: &str) -> Vec<Answer> {
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = service.get(&path).await.ok();
        let links = header(&page, "link").unwrap_or_default().to_owned();
        let is_first = links.contains("rel=\"first\"");
        assert_eq!(is_first, !pages.is_empty(), "{path}: {links}");
        next = links
            .split(", ")
            .find_map(|link| link.strip_suffix(">; rel=\"next\"")?.strip_prefix("</api/powerfill"))
            .map(str::to_owned);
        pages.push(page);
    }
    pages
}

#[tokio::test]
async fn links_lead_through_every_kind_of_page() {
    let (service, run) = Service::with_run(CASE).await;
    service.run_case(CASE).await;
    service.run_case(CASE).await;
    let events = service.store().head().await.unwrap().position;
    let of_run = service.store().stream_version(&run.stream()).await.unwrap();
    for (path, count, total) in [
        ("/runs?limit=2".to_owned(), 2, None),
        ("/storage?limit=1".to_owned(), 3, Some(3)),
        ("/events?limit=20".to_owned(), events.div_ceil(20), Some(events)),
        (format!("/runs/{run}/events?limit=9"), of_run.div_ceil(9), Some(of_run)),
        (format!("/runs/{run}/guide?limit=1"), 0, None),
    ] {
        let pages = follow(&service, &path).await;
        if count > 0 {
            assert!((pages.len() as u64).abs_diff(count) <= 1, "{path}: {} pages", pages.len());
        }
        if let Some(total) = total {
            let total = total.to_string();
            assert!(
                pages.iter().all(|page| header(page, "x-total-count") == Some(&total)),
                "{path}"
            );
        }
    }
    // A filter of types leaves the total open; a whole list has one.
    let some = service.get("/events?type=RunCompleted").await.ok();
    assert_eq!(header(&some, "x-total-count"), None);
    assert_eq!(header(&service.get("/runs").await.ok(), "x-total-count"), Some("3"));
}

#[tokio::test]
async fn a_report_says_how_many_rows_its_filters_leave() {
    let (service, run) = Service::with_run(CASE).await;
    let whole = service.get(&format!("/runs/{run}/guide")).await.ok();
    let rows = whole.json()["rows"].as_array().unwrap().len();
    assert_eq!(header(&whole, "x-total-count"), Some(&*rows.to_string()));
    let loan = whole.json()["rows"][0]["loan_id"].as_str().unwrap().to_owned();
    let some = format!("/runs/{run}/guide?limit=1&loan_id={loan}&loan_id=none");
    assert_eq!(header(&service.get(&some).await.ok(), "x-total-count"), Some("1"));
}

#[tokio::test]
async fn latest_stands_for_the_run_that_was_requested_last() {
    let service = Service::new();
    service.get("/runs/latest").await.expect_problem(404, "not-found");
    service.run_case(CASE).await;
    let run = service.run_case(CASE).await;
    for (path, there) in [
        ("/runs/latest", format!("/runs/{run}")),
        (
            "/runs/latest/guide?limit=1&sort=-score",
            format!("/runs/{run}/guide?limit=1&sort=-score"),
        ),
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, 307, "{}", answer.text());
        let location = header(&answer, "location").unwrap().strip_prefix("/api/powerfill").unwrap();
        assert_eq!(location, there);
        service.get(location).await.ok();
    }
    // A redirect keeps the method.
    let replay = service.post("/runs/latest/replays", None).await;
    assert_eq!(replay.status, 307);
    let location = header(&replay, "location").unwrap().strip_prefix("/api/powerfill").unwrap();
    assert_eq!(service.post(location, None).await.status, 202);
}

#[tokio::test]
async fn a_configuration_that_has_not_changed_is_not_sent_again() {
    let service = Service::new();
    let admin = service.token(TokenRole::Admin, "ada");
    let put = async |path: &str, headers: &[(&'static str, &str)], body: Option<&str>| {
        service.send_with(("PUT", path, &admin), headers, body).await.ok()
    };
    let node = r#"{"investor_id": "FNMA", "investor_instrument_name": "FN30",
        "constraint_priority": 1}"#;
    service.send_with(("POST", "/constraints", &admin), &[], Some(node)).await.ok();
    put("/sec-rules/HIGH", &[], Some(r#"{"rule_syntax": "fico >= 740"}"#)).await;
    let paths = ["/constraints", "/constraints/FNMA/FN30/-", "/sec-rules/HIGH", "/configuration"];
    let mut tags = Vec::new();
    for path in paths {
        let tag = header(&service.get(path).await.ok(), "etag").unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let again = service.get_with(path, &[("if-none-match", &known)]).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
            assert_eq!(header(&again, "etag"), Some(&*tag));
        }
        tags.push(tag);
    }
    // A link changes what the node and the rule show, and not their rows.
    put("/constraints/FNMA/FN30/-/sec-rules/HIGH", &[], None).await;
    for (path, tag) in paths.iter().zip(&tags) {
        service.get_with(path, &[("if-none-match", tag)]).await.ok();
    }
    let tag = header(&service.get("/sec-rules/HIGH").await.ok(), "etag").unwrap().to_owned();
    let body = r#"{"rule_syntax": "fico >= 760"}"#;
    put("/sec-rules/HIGH", &[("if-match", &tag)], Some(body)).await;
}

#[tokio::test]
async fn limits_are_in_the_headers() {
    let rate = NonZeroU32::new(2).unwrap();
    let service = Service::with(Limits { rate, ..Limits::default() });
    let mut left = Vec::new();
    let refused = loop {
        let answer = service.get("/status").await;
        assert_eq!(header(&answer, "ratelimit-policy"), Some("\"requests\";q=4;w=2"));
        let state = header(&answer, "ratelimit").unwrap().to_owned();
        if answer.status != 200 {
            assert_eq!(state, "\"requests\";r=0;t=1");
            break answer;
        }
        left.push(state);
    };
    refused.expect_problem(429, "too-many");
    assert_eq!(header(&refused, "retry-after"), Some("1"));
    assert!(left.starts_with(&["\"requests\";r=3".to_owned()]), "{left:?}");

    // What has no free permit is named beside the rate.
    let (service, run) = Service::with_run(CASE).await;
    let held = service.hold_export();
    let boundary = "--b\r\nContent-Disposition: form-data; name=\"file\"; \
                    filename=\"pfill_powerfill_guide.csv\"\r\n\r\nloan_id\r\n--b--\r\n";
    let path = format!("/runs/{run}/export-comparisons");
    let form = [("content-type", "multipart/form-data; boundary=b")];
    let refused = loop {
        let upload = ("POST", &*path, &*service.viewer);
        let answer = service.send_with(upload, &form, Some(boundary)).await;
        if answer.status != 202 {
            break answer;
        }
    };
    drop(held);
    refused.expect_problem(503, "unavailable");
    let states: Vec<_> = refused.headers.get_all("ratelimit").iter().collect();
    assert_eq!(states.len(), 2);
    assert_eq!(states[1], "\"unfinished jobs\";r=0;t=5");
    let policies: Vec<_> = refused.headers.get_all("ratelimit-policy").iter().collect();
    assert_eq!(policies[1], "\"unfinished jobs\";q=8;qu=\"concurrent-requests\"");
}

#[tokio::test]
async fn answers_are_compressed_as_the_caller_accepts_and_streams_never() {
    let (service, run) = Service::with_run(CASE).await;
    let path = format!("/runs/{run}/guide");
    let plain = service.get(&path).await.ok();
    for (accepted, encoding) in [("zstd, gzip", "zstd"), ("gzip", "gzip")] {
        let answer = service.get_with(&path, &[("accept-encoding", accepted)]).await.ok();
        assert_eq!(header(&answer, "content-encoding"), Some(encoding));
        let text = match encoding {
            "zstd" => String::from_utf8(zstd::decode_all(&answer.body[..]).unwrap()).unwrap(),
            _ => answer.decompressed(),
        };
        assert_eq!(text, plain.text());
    }
    let mut stream = service.request("GET", "/events/stream", &service.viewer, None);
    stream.headers_mut().insert("accept-encoding", "zstd, gzip".parse().unwrap());
    let stream = service.router.clone().oneshot(stream).await.unwrap();
    assert_eq!(stream.headers().get("content-encoding"), None);
}

#[tokio::test]
async fn the_certificate_for_an_auditor_has_no_tag() {
    let (service, run) = Service::with_run(CASE).await;
    let answer = service.get(&format!("/runs/{run}/audit-certificate")).await.ok();
    assert_eq!(header(&answer, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(
        (header(&answer, "etag"), header(&answer, "cache-control")),
        (None, Some("no-store"))
    );
}

#[tokio::test]
async fn the_evidence_of_a_run_is_a_file_that_its_receiver_checks() {
    let (service, run) = Service::with_run(CASE).await;
    let path = format!("/runs/{run}/evidence");
    let answer = service.get(&path).await.ok();
    assert_eq!(header(&answer, "content-type"), Some("application/zip"));
    let name = format!("attachment; filename=\"{run}.pfe\"");
    assert_eq!(header(&answer, "content-disposition"), Some(&*name));
    assert_eq!(header(&answer, "content-length"), Some(&*answer.body.len().to_string()));
    let file = service.file("run.pfe");
    std::fs::write(&file, &answer.body).unwrap();
    let report = powerfill_evidence::verify(&file, Expectation::default()).unwrap();
    assert_eq!(report.manifest.run_id, run);
    let tag = header(&answer, "etag").unwrap();
    let again = service.get_with(&path, &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    // A run that goes on has none, and one that is not Complete has no workbook.
    let accepted = service.post("/run", Some("{}")).await.ok().json();
    let active = accepted["run_id"].as_str().unwrap();
    let answer = service.get(&format!("/runs/{active}/evidence")).await;
    answer.expect_problem(409, "run-active");
    let answer = service.get(&format!("/runs/{active}/workbook")).await;
    answer.expect_problem(409, "run-not-complete");
    service.work().await;
}
