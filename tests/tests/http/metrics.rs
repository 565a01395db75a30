//! The metrics that Prometheus reads.

use powerfill_http::tokens::TokenRole;

use crate::service::Service;

/// The value of a series, by its name and labels as text.
fn value(text: &str, series: &str) -> Option<f64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    lines.next().map(|value| value.parse().unwrap())
}

async fn metrics(service: &Service) -> String {
    let administrator = service.token(TokenRole::Admin, "ada");
    let mut request = service.request("GET", "", &administrator, None);
    *request.uri_mut() = "/metrics".parse().unwrap();
    let answer = service.send(request).await.ok();
    assert!(
        answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics")
    );
    answer.text()
}

#[tokio::test]
async fn runs_events_steps_and_requests_are_counted() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let events = service.store().stream_version(&run.stream()).await.unwrap();
    for _ in 0..3 {
        service.get(&format!("/runs/{run}")).await.ok();
    }
    service.get("/runs/nonsense").await.expect_problem(400, "bad-request");
    service.post("/run", Some("{}")).await.ok();
    let text = metrics(&service).await;
    let is = |series: &str, wanted: f64| {
        assert_eq!(value(&text, series), Some(wanted), "{series} in\n{text}");
    };
    is("powerfill_store_up{tenant=\"one\"}", 1.0);
    is("powerfill_runs{tenant=\"one\",status=\"Complete\"}", 1.0);
    is("powerfill_runs{tenant=\"one\",status=\"Failed\"}", 0.0);
    is("powerfill_queue_depth{tenant=\"one\"}", 1.0);
    // The other run has one event, its request.
    is("powerfill_events_appended_total{tenant=\"one\"}", (events + 1) as f64);
    is("powerfill_projection_lag_events{tenant=\"one\",projection=\"output_tables\"}", 0.0);
    is("powerfill_step_seconds_count{tenant=\"one\",step=\"allocation\"}", 1.0);
    let show = "method=\"GET\",route=\"/api/powerfill/runs/{run_id}\"";
    is(&format!("powerfill_http_requests_total{{{show},status=\"200\"}}"), 3.0);
    is(&format!("powerfill_http_requests_total{{{show},status=\"400\"}}"), 1.0);
    is(&format!("powerfill_http_request_seconds_count{{{show}}}"), 4.0);
    assert!(text.ends_with("# EOF\n"));
    // The metrics of another tenant are not visible.
    assert!(!text.contains("other"), "{text}");
}

#[tokio::test]
async fn the_lag_of_a_slow_stream_is_measured() {
    use tower::ServiceExt;
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let events = service.store().stream_version(&run.stream()).await.unwrap();
    let request = service.request("GET", "/events/stream?after=2", &service.viewer, None);
    let stream = service.router.clone().oneshot(request).await.unwrap();
    let text = metrics(&service).await;
    let lag = "powerfill_subscriber_lag_events{tenant=\"one\",subscriber=\"slowest_event_stream\"}";
    assert_eq!(value(&text, lag), Some((events - 2) as f64), "{text}");
    assert_eq!(value(&text, "powerfill_event_streams{tenant=\"one\"}"), Some(1.0));
    assert!(service.store().advance("nats", None, 3).await.unwrap());
    drop(stream);
    let text = metrics(&service).await;
    assert_eq!(value(&text, lag), Some(0.0), "{text}");
    let kept = lag.replace("slowest_event_stream", "nats");
    assert_eq!(value(&text, &kept), Some((events - 3) as f64), "{text}");
}
