//! What a collector of OpenTelemetry gets of a service or a worker, if the program was built with
//! the feature `otlp`.

use std::sync::Arc;
#[cfg(feature = "otlp")]
use std::time::Duration;

use powerfill_app::RunObserver;
use powerfill_http::Api;

use crate::error;

/// How long a process that stops waits for a collector: once for traces, once for metrics.
#[cfg(feature = "otlp")]
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// The traces and metrics of a process; none without a collector in the environment.
#[derive(Clone)]
pub(crate) struct ProcessTelemetry {
    #[cfg(feature = "otlp")]
    sender: Option<Arc<powerfill_otlp::Telemetry>>,
}

#[cfg(feature = "otlp")]
impl ProcessTelemetry {
    /// Begins to send, if the environment names a collector.
    pub(crate) fn start() -> error::CliResult<Self> {
        let sender = powerfill_otlp::Telemetry::from_environment().map_err(|error| {
            error::CliError::context("a variable of OpenTelemetry (OTEL_…) cannot be used", error)
        })?;
        Ok(Self { sender })
    }

    /// Lets the requests of a service be sent.
    pub(crate) fn observe_requests(&self, api: Api) -> Api {
        match &self.sender {
            Some(telemetry) => api.observed_by(Arc::clone(telemetry) as _),
            None => api,
        }
    }

    /// Lets what the stores of a service say be sent.
    pub(crate) fn observe_stores(&self, api: &Arc<Api>) {
        self.sender.iter().for_each(|telemetry| telemetry.observe_stores(api));
    }

    /// An observer of a tenant's run that also lets its steps be sent.
    pub(crate) fn run_observer(
        &self,
        tenant: &str,
        observer: Arc<dyn RunObserver>,
    ) -> Arc<dyn RunObserver> {
        match &self.sender {
            Some(telemetry) => telemetry.run_observer(tenant, observer),
            None => observer,
        }
    }

    /// Sends what is left. A collector that is silent holds the process for a second.
    pub(crate) async fn shut_down(self) {
        let Some(telemetry) = self.sender else { return };
        // Waits on a thread of its own, because the runtime has to send.
        let flushed = tokio::task::spawn_blocking(move || telemetry.shut_down(FLUSH_LIMIT));
        flushed.await.expect("shutting down does not panic");
    }
}

#[cfg(not(feature = "otlp"))]
impl ProcessTelemetry {
    /// Says so if the environment names a collector.
    pub(crate) fn start() -> error::CliResult<Self> {
        if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() {
            tracing::warn!(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, but this program was built without the \
                 feature `otlp`: nothing is sent there"
            );
        }
        Ok(Self {})
    }

    pub(crate) fn observe_requests(&self, api: Api) -> Api {
        api
    }

    pub(crate) fn observe_stores(&self, _api: &Arc<Api>) {}

    pub(crate) fn run_observer(
        &self,
        _tenant: &str,
        observer: Arc<dyn RunObserver>,
    ) -> Arc<dyn RunObserver> {
        observer
    }

    pub(crate) async fn shut_down(self) {}
}
