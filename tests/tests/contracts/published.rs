//! All types of events: of runs, of the configuration, of the retention, of annotations, and of
//! challenges.

use powerfill_events::annotation::{self, AnnotationEventType};
use powerfill_events::challenge::{self, ChallengeEventType};
use powerfill_events::log::{DecodeError, EncodedBatch, LogEvent};
use powerfill_events::retention::{self, RetentionEventType};
use powerfill_events::run::{self, EventType};
use powerfill_snapshot::config::{self, ConfigEventType};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    Run(EventType),
    Config(ConfigEventType),
    Retention(RetentionEventType),
    Annotation(AnnotationEventType),
    Challenge(ChallengeEventType),
}

macro_rules! of_any {
    ($published:expr, $event_type:ident => $answer:expr) => {
        match $published {
            Self::Run($event_type) => $answer,
            Self::Config($event_type) => $answer,
            Self::Retention($event_type) => $answer,
            Self::Annotation($event_type) => $answer,
            Self::Challenge($event_type) => $answer,
        }
    };
}

impl Published {
    /// The types of runs, then those of the configuration, of the retention, of annotations, and of
    /// challenges.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let of_runs = EventType::ALL.iter().copied().map(Self::Run);
        let of_config = ConfigEventType::ALL.iter().copied().map(Self::Config);
        let of_retention = RetentionEventType::ALL.iter().copied().map(Self::Retention);
        let of_annotations = AnnotationEventType::ALL.iter().copied().map(Self::Annotation);
        let of_challenges = ChallengeEventType::ALL.iter().copied().map(Self::Challenge);
        of_runs.chain(of_config).chain(of_retention).chain(of_annotations).chain(of_challenges)
    }

    /// The kind of its stream.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Config(_) => "config",
            Self::Retention(_) => "retention",
            Self::Annotation(_) => annotation::KIND,
            Self::Challenge(_) => "challenge",
        }
    }

    /// The name of a stream of its kind.
    pub(crate) fn stream(self) -> &'static str {
        match self {
            Self::Run(_) => "run-01970000-0000-7000-8000-000000000001",
            Self::Config(_) => config::STREAM,
            Self::Retention(_) => retention::STREAM,
            Self::Annotation(_) => "annotation-01970000-0000-7000-8000-000000000001",
            Self::Challenge(_) => "challenge-01970000-0000-7000-8000-000000000001-1",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        of_any!(self, event_type => event_type.name())
    }

    pub(crate) fn schema_version(self) -> u16 {
        of_any!(self, event_type => event_type.schema_version())
    }

    pub(crate) fn schema(self) -> schemars::Schema {
        of_any!(self, event_type => event_type.schema())
    }

    pub(crate) fn description(self) -> &'static str {
        of_any!(self, event_type => event_type.description())
    }

    /// Reads a payload, and writes it in the present version.
    pub(crate) fn rewrite(self, version: u16, payload: &[u8]) -> Result<String, DecodeError> {
        match self {
            Self::Run(of) => run::RunEvent::decode(of, version, payload).map(|e| encoded(self, &e)),
            Self::Config(of) => {
                config::ConfigEvent::decode(of, version, payload).map(|e| encoded(self, &e))
            }
            Self::Retention(of) => {
                retention::RetentionEvent::decode(of, version, payload).map(|e| encoded(self, &e))
            }
            Self::Annotation(of) => {
                annotation::AnnotationEvent::decode(of, version, payload).map(|e| encoded(self, &e))
            }
            Self::Challenge(of) => {
                challenge::ChallengeEvent::decode(of, version, payload).map(|e| encoded(self, &e))
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
