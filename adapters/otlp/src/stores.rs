//! Metrics that are read from the stores, as `/metrics` has them.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use parking_lot::Mutex;
use powerfill_http::Api;
use powerfill_http::metrics::{STORE_METRICS, StoreMetric, StoreReadings};
use tokio::runtime::Handle;

/// All metrics of an export come from one reading of the stores.
const MAX_AGE: Duration = Duration::from_secs(1);

struct StoreReader {
    runtime: Handle,
    api: Weak<Api>,
    latest: Mutex<Option<(Instant, Arc<StoreReadings>)>>,
}

impl StoreReader {
    /// What the stores say, read anew if the latest answers are old. Blocks, on a thread of
    /// OpenTelemetry. `None` once the service has ended.
    fn read(&self) -> Option<Arc<StoreReadings>> {
        let mut latest = self.latest.lock();
        if let Some((at, readings)) = &*latest
            && at.elapsed() < MAX_AGE
        {
            return Some(Arc::clone(readings));
        }
        let api = self.api.upgrade()?;
        let readings = Arc::new(self.runtime.block_on(api.read_stores()));
        *latest = Some((Instant::now(), Arc::clone(&readings)));
        Some(readings)
    }

    fn observe(&self, metric: &StoreMetric, instrument: &dyn AsyncInstrument<u64>) {
        let Some(readings) = self.read() else { return };
        for (labels, value) in metric.values(&readings) {
            let attributes: Vec<_> = labels
                .into_iter()
                .map(|(name, value)| KeyValue::new(format!("powerfill.{name}"), value))
                .collect();
            instrument.observe(value, &attributes);
        }
    }
}

/// Makes an instrument of each metric, which reads the stores for each export.
pub(crate) fn observe(meter: &Meter, api: &Arc<Api>) {
    let reader = Arc::new(StoreReader {
        runtime: Handle::current(),
        api: Arc::downgrade(api),
        latest: Mutex::default(),
    });
    for metric in &STORE_METRICS {
        let (name, reader) = (format!("powerfill.{}", metric.name), Arc::clone(&reader));
        let callback = move |instrument: &dyn AsyncInstrument<u64>| {
            reader.observe(metric, instrument);
        };
        if metric.is_counter {
            let counter = meter.u64_observable_counter(name).with_description(metric.help);
            counter.with_callback(callback).build();
        } else {
            let gauge = meter.u64_observable_gauge(name).with_description(metric.help);
            gauge.with_callback(callback).build();
        }
    }
}
