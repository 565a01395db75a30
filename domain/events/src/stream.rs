//! The kinds of streams in the log: their names, the ids of their events, and where they end.

use uuid::Uuid;

use crate::annotation::{self, AnnotationEventType};
use crate::challenge::{ChallengeEventType, ChallengeId};
use crate::config::{self, ConfigEventType};
use crate::log::DecodeError;
use crate::retention::{self, RetentionEventType};
use crate::run::{EventType, RunId};
use crate::values::TenantId;

/// A stream of the log. Code that treats streams differently matches on it, so that another
/// kind breaks its build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The events of a run, `run-<run_id>`.
    Run(RunId),
    /// The events of the tenant's configuration, `config`.
    Config,
    /// The holds and the archived runs of the log, `retention`.
    Retention,
    /// The name and the notes of a run, `annotation-<run_id>`.
    Annotation(RunId),
    /// The events of a challenge of a run, `challenge-<run_id>-<n>`.
    Challenge(ChallengeId),
}

impl Stream {
    /// The stream with this name; `None` if no stream of PowerFill has such a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            config::STREAM => Some(Self::Config),
            retention::STREAM => Some(Self::Retention),
            _ => RunId::from_stream(name)
                .map(Self::Run)
                .or_else(|| annotation::run_of(name).map(Self::Annotation))
                .or_else(|| ChallengeId::from_stream(name).map(Self::Challenge)),
        }
    }

    /// The kind of stream as the `type` of a CloudEvent has it: `run`, `config`, `retention`,
    /// `annotation`, or `challenge`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Config => config::STREAM,
            Self::Retention => retention::STREAM,
            Self::Annotation(_) => annotation::KIND,
            Self::Challenge(_) => "challenge",
        }
    }

    /// The run whose events the stream has.
    pub const fn run(self) -> Option<RunId> {
        match self {
            Self::Run(run) => Some(run),
            Self::Config | Self::Retention | Self::Annotation(_) | Self::Challenge(_) => None,
        }
    }

    /// Whether an event of this type ends the stream: the aggregate accepts no event after it. The
    /// other streams never end.
    pub fn is_ended_by(self, event_type: &str) -> bool {
        match self {
            Self::Run(_) => EventType::from_name(event_type).is_ok_and(EventType::is_terminal),
            Self::Config | Self::Retention | Self::Annotation(_) => false,
            Self::Challenge(_) => {
                matches!(
                    ChallengeEventType::from_name(event_type),
                    Ok(ChallengeEventType::ChallengeCompleted)
                )
            }
        }
    }

    /// The id of an event: derived from stream and version, so that a retry gives the same (3.1).
    /// The configurations of all tenants have the same stream name, so their ids include the
    /// tenant: a broker may receive the events of many tenants.
    pub fn event_id(self, tenant: &TenantId, stream_version: u64) -> Uuid {
        match self {
            Self::Run(run) => run.event_id(stream_version),
            Self::Config => config::event_id(tenant, stream_version),
            Self::Retention => retention::event_id(tenant, stream_version),
            Self::Annotation(run) => annotation::event_id(run, stream_version),
            Self::Challenge(challenge) => challenge.event_id(stream_version),
        }
    }
}

/// The name of a stored event's type, for any stream.
///
/// # Errors
/// [`DecodeError::UnknownType`].
pub fn event_name(name: &str) -> Result<&'static str, DecodeError> {
    EventType::from_name(name)
        .map(EventType::name)
        .or_else(|_| ConfigEventType::from_name(name).map(ConfigEventType::name))
        .or_else(|_| RetentionEventType::from_name(name).map(RetentionEventType::name))
        .or_else(|_| AnnotationEventType::from_name(name).map(AnnotationEventType::name))
        .or_else(|_| ChallengeEventType::from_name(name).map(ChallengeEventType::name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_streams_and_event_types_are_unambiguous() {
        let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(Stream::from_name(&run.stream()), Some(Stream::Run(run)));
        assert_eq!(Stream::from_name("config"), Some(Stream::Config));
        for other in ["Config", "config-1", "run-1", "notes", ""] {
            assert_eq!(Stream::from_name(other), None, "{other}");
        }
        for config in ConfigEventType::ALL {
            assert!(
                EventType::from_name(config.name()).is_err(),
                "{config:?} is also an event of a run"
            );
            assert_eq!(event_name(config.name()).unwrap(), config.name());
        }
        assert!(event_name("Nothing").is_err());
    }

    #[test]
    fn a_run_ends_and_the_configuration_does_not() {
        let run = Stream::Run(RunId::default());
        let ends = |stream: Stream, event_type: &str| stream.is_ended_by(event_type);
        let of_run = EventType::ALL.iter().filter(|event_type| ends(run, event_type.name()));
        let of_run: Vec<&str> = of_run.map(|event_type| event_type.name()).collect();
        assert_eq!(of_run, ["RunCompleted", "RunFailed", "RunCancelled"]);
        assert!(!ends(run, "Unknown") && !ends(Stream::Config, "RunCompleted"));
    }

    #[test]
    fn tenants_have_different_ids_for_the_same_version() {
        let ids = ["ACME", "ACME2"]
            .map(|tenant| [1, 2].map(|version| Stream::Config.event_id(&tenant.into(), version)));
        let different: std::collections::BTreeSet<_> = ids.iter().flatten().collect();
        assert_eq!(different.len(), 4);
        assert_eq!(ids[0][1], Stream::Config.event_id(&"ACME".into(), 2));
    }
}
