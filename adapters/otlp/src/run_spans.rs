//! Runs as spans, with a span below for each step.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span as SdkSpan;
use parking_lot::Mutex;
use powerfill_app::{RunObserver, RunProgress};
use powerfill_events::run::RecordedEvent;
use powerfill_events::run::event::{RunEvent, Step};

use crate::{Telemetry, tenant_attribute};

/// Makes the spans of one run. The last ones end when this is dropped.
pub(crate) struct RunSpans {
    telemetry: Arc<Telemetry>,
    tenant: String,
    other: Arc<dyn RunObserver>,
    current: Mutex<Option<CurrentRun>>,
}

/// The run that is worked on.
struct CurrentRun {
    /// With the span of the run.
    context: Context,
    /// Whether its span has the id of the run.
    has_id: bool,
    step: Option<CurrentStep>,
}

/// The step that is worked on.
struct CurrentStep {
    span: SdkSpan,
    step: Step,
    start: Instant,
}

impl RunSpans {
    pub(crate) fn new(
        telemetry: Arc<Telemetry>,
        tenant: &str,
        other: Arc<dyn RunObserver>,
    ) -> Self {
        Self { telemetry, tenant: tenant.to_owned(), other, current: Mutex::default() }
    }

    fn start_run(&self) -> CurrentRun {
        let span = SpanBuilder::from_name("run")
            .with_kind(SpanKind::Internal)
            .with_attributes([tenant_attribute(&self.tenant)])
            .start_with_context(&self.telemetry.tracer, &Context::new());
        CurrentRun { context: Context::new().with_span(span), has_id: false, step: None }
    }

    fn begin(&self, step: Step) {
        let mut current = self.current.lock();
        let run = current.get_or_insert_with(|| self.start_run());
        self.end_step(run.step.take());
        let span = SpanBuilder::from_name(format!("step {}", step.as_str()))
            .with_kind(SpanKind::Internal)
            .with_attributes(self.step_attributes(step))
            .start_with_context(&self.telemetry.tracer, &run.context);
        run.step = Some(CurrentStep { span, step, start: Instant::now() });
    }

    fn end_step(&self, ended: Option<CurrentStep>) {
        let Some(CurrentStep { mut span, step, start }) = ended else { return };
        span.end();
        let seconds = start.elapsed().as_secs_f64();
        self.telemetry.step_seconds.record(seconds, &self.step_attributes(step));
    }

    fn step_attributes(&self, step: Step) -> [KeyValue; 2] {
        [tenant_attribute(&self.tenant), KeyValue::new("powerfill.step", step.as_str())]
    }

    fn add_event(&self, recorded: &RecordedEvent<'_>) {
        let mut current = self.current.lock();
        let Some(run) = current.as_mut() else { return };
        if !run.has_id {
            run.has_id = true;
            let id = KeyValue::new("powerfill.run_id", recorded.run_id.to_string());
            run.context.span().set_attribute(id);
        }
        if let RunEvent::RunFailed(failed) = recorded.event {
            run.context.span().set_status(Status::error(failed.message.clone()));
        }
    }
}

impl RunObserver for RunSpans {
    fn observe(&self, progress: RunProgress<'_>) {
        self.other.observe(progress);
        match progress {
            RunProgress::Step(step) => self.begin(step),
            RunProgress::Event(recorded) => self.add_event(recorded),
            RunProgress::Rows(_) => {}
        }
    }
}

impl Drop for RunSpans {
    fn drop(&mut self) {
        if let Some(run) = self.current.lock().take() {
            self.end_step(run.step);
            run.context.span().end();
        }
    }
}
