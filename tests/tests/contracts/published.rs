//! All types of events: of runs and of the configuration.

use powerfill_events::log::{DecodeError, EncodedBatch, LogEvent};
use powerfill_events::run::{self, EventType};
use powerfill_snapshot::config::{self, ConfigEventType};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    Run(EventType),
    Config(ConfigEventType),
}

macro_rules! of_either {
    ($published:expr, $event_type:ident => $answer:expr) => {
        match $published {
            Self::Run($event_type) => $answer,
            Self::Config($event_type) => $answer,
        }
    };
}

impl Published {
    /// The types of runs, then those of the configuration.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let of_runs = EventType::ALL.iter().copied().map(Self::Run);
        of_runs.chain(ConfigEventType::ALL.iter().copied().map(Self::Config))
    }

    /// The kind of its stream.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Config(_) => "config",
        }
    }

    /// The name of a stream of its kind.
    pub(crate) fn stream(self) -> &'static str {
        match self {
            Self::Run(_) => "run-01970000-0000-7000-8000-000000000001",
            Self::Config(_) => config::STREAM,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        of_either!(self, event_type => event_type.name())
    }

    pub(crate) fn schema_version(self) -> u16 {
        of_either!(self, event_type => event_type.schema_version())
    }

    pub(crate) fn schema(self) -> schemars::Schema {
        of_either!(self, event_type => event_type.schema())
    }

    pub(crate) fn description(self) -> &'static str {
        of_either!(self, event_type => event_type.description())
    }

    /// Reads a payload, and writes it in the present version.
    pub(crate) fn rewrite(self, version: u16, payload: &[u8]) -> Result<String, DecodeError> {
        match self {
            Self::Run(of) => run::RunEvent::decode(of, version, payload).map(|e| encoded(self, &e)),
            Self::Config(of) => {
                config::ConfigEvent::decode(of, version, payload).map(|e| encoded(self, &e))
            }
        }
    }
}

fn encoded(published: Published, event: &impl LogEvent) -> String {
    let batch = EncodedBatch::encode([event]);
    let (written, payload) = batch.iter().next().unwrap();
    assert_eq!(
        (written.name(), written.schema_version()),
        (published.name(), published.schema_version())
    );
    String::from_utf8(payload.to_vec()).unwrap()
}
