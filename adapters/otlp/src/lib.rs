//! Traces and metrics of the service by OTLP over HTTP, for a collector of OpenTelemetry
//! (specification 4.3).
//!
//! The variables of OpenTelemetry say where the collector is and how often it gets metrics, such as
//! `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_METRIC_EXPORT_INTERVAL`. Without an endpoint, nothing is
//! sent.
//!
//! * [`collector`]: how the collector is reached
//! * [`run_spans`]: runs and their steps as spans
//! * [`stores`]: metrics that are read from the stores

mod collector;
mod run_spans;
mod stores;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::metrics::{Histogram, Meter, MeterProvider};
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use powerfill_app::RunObserver;
use powerfill_http::{AnsweredRequest, Api, RequestObserver};

use crate::collector::CollectorClient;
use crate::run_spans::RunSpans;

/// The name of the service without `OTEL_SERVICE_NAME`.
const SERVICE: &str = "powerfill";

/// The variables that name a collector.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/// Sends traces and metrics until it is shut down.
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    tracer: SdkTracer,
    meter: Meter,
    request_seconds: Histogram<f64>,
    step_seconds: Histogram<f64>,
}

impl Telemetry {
    /// Begins to send, from within a runtime, if the environment names a collector and does not
    /// disable OpenTelemetry.
    ///
    /// # Errors
    /// If a variable cannot be read.
    pub fn from_environment() -> Result<Option<Arc<Self>>, ExporterBuildError> {
        let value = |name: &str| std::env::var(name).unwrap_or_default();
        let is_disabled = value("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true");
        if is_disabled || ENDPOINTS.iter().all(|name| value(name).is_empty()) {
            return Ok(None);
        }
        Self::start(None).map(Some)
    }

    /// Begins to send, from within a runtime, to a collector, such as `http://localhost:4318`;
    /// `None` for that of the environment.
    ///
    /// # Errors
    /// If the endpoint or a variable cannot be read.
    pub fn start(endpoint: Option<&str>) -> Result<Arc<Self>, ExporterBuildError> {
        let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty());
        let resource = match named {
            true => Resource::builder().build(),
            false => Resource::builder().with_service_name(SERVICE).build(),
        };
        let client = CollectorClient::of_this_runtime();
        let mut spans = SpanExporter::builder().with_http().with_http_client(client.clone());
        let mut values = MetricExporter::builder().with_http().with_http_client(client);
        if let Some(endpoint) = endpoint {
            spans = spans.with_endpoint(format!("{endpoint}/v1/traces"));
            values = values.with_endpoint(format!("{endpoint}/v1/metrics"));
        }
        let traces = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_batch_exporter(spans.build()?)
            .build();
        let metrics = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_periodic_exporter(values.build()?)
            .build();
        let meter = metrics.meter(SERVICE);
        let seconds = |name: &'static str, about: &'static str| {
            meter.f64_histogram(name).with_unit("s").with_description(about).build()
        };
        Ok(Arc::new(Self {
            tracer: traces.tracer(SERVICE),
            request_seconds: seconds(
                "http.server.request.duration",
                "Time from the head of a request to the head of its answer",
            ),
            step_seconds: seconds("powerfill.step.duration", "Time of the steps of runs"),
            meter,
            traces,
            metrics,
        }))
    }

    /// Reads the stores of a service for each export of metrics.
    pub fn observe_stores(&self, api: &Arc<Api>) {
        stores::observe(&self.meter, api);
    }

    /// An observer of a tenant's run, which becomes a span with one below it for each step. The
    /// other observer receives the same progress.
    pub fn run_observer(
        self: &Arc<Self>,
        tenant: &str,
        other: Arc<dyn RunObserver>,
    ) -> Arc<dyn RunObserver> {
        Arc::new(RunSpans::new(Arc::clone(self), tenant, other))
    }

    /// Sends what is left, and waits for the collector at most this long for traces and as long for
    /// metrics. What it does not take by then is lost.
    pub fn shut_down(&self, limit: Duration) {
        for result in
            [self.traces.shutdown_with_timeout(limit), self.metrics.shutdown_with_timeout(limit)]
        {
            if let Err(error) = result {
                tracing::warn!("the collector did not get the last traces or metrics: {error}");
            }
        }
    }
}

impl RequestObserver for Telemetry {
    fn answered(&self, request: &AnsweredRequest<'_>) {
        let (method, route) = (request.method, request.route_or_none());
        let attributes = [
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(request.status)),
        ];
        self.request_seconds.record(request.lasted.as_secs_f64(), &attributes);
        let tenant = request.tenant.map(tenant_attribute);
        let id = KeyValue::new("powerfill.request_id", request.id.to_owned());
        let end = SystemTime::now();
        let span = SpanBuilder::from_name(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_start_time(end.checked_sub(request.lasted).unwrap_or(end))
            .with_attributes(attributes.into_iter().chain([id]).chain(tenant));
        let caller = request.traceparent.and_then(context_of).unwrap_or_default();
        let mut span = span.start_with_context(&self.tracer, &caller);
        if request.status >= 500 {
            span.set_status(Status::error("the service failed"));
        }
        span.end_with_timestamp(end);
    }
}

fn tenant_attribute(tenant: &str) -> KeyValue {
    KeyValue::new("powerfill.tenant", tenant.to_owned())
}

/// The context of a header `traceparent` (W3C Trace Context).
fn context_of(header: &str) -> Option<Context> {
    let mut parts = header.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then(|| Context::new().with_remote_span_context(context))
}
