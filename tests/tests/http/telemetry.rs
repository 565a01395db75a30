//! Traces and metrics in the hands of a collector, which is an HTTP service of this test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use powerfill_app::RunControl;
use powerfill_http::{AnsweredRequest, RequestObserver};
use powerfill_otlp::Telemetry;
use prost::Message;

use crate::service::Service;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The paths and bodies that a collector got.
type Received = Arc<Mutex<Vec<(String, Bytes)>>>;

async fn collector() -> (String, Received) {
    let received = Received::default();
    let keep = Arc::clone(&received);
    let receive = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        keep.lock().unwrap().push((uri.path().to_owned(), body));
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(receive);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, received)
}

/// The requests at a path.
fn requests<M: Message + Default>(received: &Received, path: &str) -> Vec<M> {
    let received = received.lock().unwrap();
    let at_path = received.iter().filter(|(at, _)| at == path);
    at_path.map(|(_, body)| M::decode(body.clone()).unwrap()).collect()
}

fn spans(received: &Received) -> Vec<Span> {
    let requests: Vec<ExportTraceServiceRequest> = requests(received, "/v1/traces");
    let resources = requests.into_iter().flat_map(|request| request.resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn metrics(received: &Received) -> BTreeMap<String, Metric> {
    let requests: Vec<ExportMetricsServiceRequest> = requests(received, "/v1/metrics");
    let resources = requests.into_iter().flat_map(|request| request.resource_metrics);
    let scopes = resources.flat_map(|resource| resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| scope.metrics);
    metrics.map(|metric| (metric.name.clone(), metric)).collect()
}

/// The text of an attribute.
fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    match value.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The values of a metric of the tenant `one`, by another attribute.
fn values(metric: &Metric, key: &str) -> BTreeMap<String, i64> {
    let points: &[NumberDataPoint] = match metric.data.as_ref().unwrap() {
        metric::Data::Gauge(gauge) => &gauge.data_points,
        metric::Data::Sum(sum) => &sum.data_points,
        other => panic!("{other:?}"),
    };
    let of_one = points
        .iter()
        .filter(|point| attribute(&point.attributes, "powerfill.tenant") == Some("one"));
    let value = |point: &NumberDataPoint| match point.value {
        Some(number_data_point::Value::AsInt(value)) => value,
        other => panic!("{other:?}"),
    };
    let named = |point: &NumberDataPoint| {
        let name = attribute(&point.attributes, key).unwrap_or_default().to_owned();
        (name, value(point))
    };
    of_one.map(named).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_requests_runs_and_steps_as_spans() {
    let (endpoint, received) = collector().await;
    let telemetry = Telemetry::start(Some(&endpoint)).unwrap();
    let service = Service::observed_by(Arc::clone(&telemetry) as _);
    let run = service.run_case("12-kickout-reasons").await;
    service.post("/run", Some("{}")).await.ok();
    let observer = telemetry.run_observer("one", service.api.metrics().step_timer("one"));
    let worked = service.runner().work(None, RunControl::default(), observer).await;
    let worked = worked.unwrap().unwrap().run_id.to_string();
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [("traceparent", &*parent), ("x-request-id", "desk-7")];
    service.get_with(&format!("/runs/{run}"), &headers).await.ok();
    tokio::task::spawn_blocking(move || telemetry.shut_down(Duration::from_secs(60)))
        .await
        .unwrap();

    let spans = spans(&received);
    let named = |name: &str| spans.iter().find(|span| span.name == name).expect(name);
    let request = named("GET /api/powerfill/runs/{run_id}");
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(attribute(&request.attributes, "powerfill.tenant"), Some("one"));
    assert_eq!(attribute(&request.attributes, "powerfill.request_id"), Some("desk-7"));
    assert!(request.end_time_unix_nano > request.start_time_unix_nano);
    assert_eq!(hex(&named("POST /api/powerfill/run").parent_span_id), "");
    let of_run = named("run");
    assert_eq!(attribute(&of_run.attributes, "powerfill.run_id"), Some(worked.as_str()));
    for step in ["step preflight", "step allocation", "step record"] {
        let step = named(step);
        assert_eq!(hex(&step.trace_id), hex(&of_run.trace_id));
        assert_eq!(hex(&step.parent_span_id), hex(&of_run.span_id));
        assert!(step.start_time_unix_nano >= of_run.start_time_unix_nano);
        assert!(step.end_time_unix_nano <= of_run.end_time_unix_nano);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_what_the_metrics_of_prometheus_have() {
    let (endpoint, received) = collector().await;
    let telemetry = Telemetry::start(Some(&endpoint)).unwrap();
    let service = Service::observed_by(Arc::clone(&telemetry) as _);
    telemetry.observe_stores(&service.api);
    service.run_case("12-kickout-reasons").await;
    service.post("/run", Some("{}")).await.ok();
    drop(telemetry.run_observer("one", service.api.metrics().step_timer("one")));
    let observer = telemetry.run_observer("one", service.api.metrics().step_timer("one"));
    service.runner().work(None, RunControl::default(), observer).await.unwrap();
    service.post("/run", Some("{}")).await.ok();
    let head = service.store().head().await.unwrap().position;
    tokio::task::spawn_blocking(move || telemetry.shut_down(Duration::from_secs(60)))
        .await
        .unwrap();

    let metrics = metrics(&received);
    let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "http.server.request.duration",
            "powerfill.event_streams",
            "powerfill.events_appended",
            "powerfill.projection_lag_events",
            "powerfill.queue_depth",
            "powerfill.runs",
            "powerfill.step.duration",
            "powerfill.store_up",
            "powerfill.subscriber_lag_events",
        ]
    );
    let one = |name: &str| values(&metrics[name], "")[""];
    assert_eq!(one("powerfill.store_up"), 1);
    assert_eq!(one("powerfill.queue_depth"), 1);
    assert_eq!(one("powerfill.events_appended"), i64::try_from(head).unwrap());
    assert_eq!(values(&metrics["powerfill.runs"], "powerfill.status")["Complete"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_answer_is_an_error_and_a_collector_that_is_away_holds_nothing() {
    let answered = AnsweredRequest {
        id: "desk-8",
        method: "GET",
        route: None,
        status: 503,
        tenant: None,
        traceparent: None,
        lasted: Duration::from_millis(7),
    };
    let (endpoint, received) = collector().await;
    for endpoint in [endpoint.as_str(), "http://127.0.0.1:9"] {
        let telemetry = Telemetry::start(Some(endpoint)).unwrap();
        telemetry.answered(&answered);
        tokio::task::spawn_blocking(move || telemetry.shut_down(Duration::from_secs(60)))
            .await
            .unwrap();
    }
    let spans = spans(&received);
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(span.name, "GET none");
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 7_000_000);
    // `STATUS_CODE_ERROR` of OTLP.
    assert_eq!(span.status.as_ref().unwrap().code, 2);
}
