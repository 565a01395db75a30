//! Whose stream a stream of the log is, by its name.

use uuid::Uuid;

use super::DecodeError;
use crate::config::{self, ConfigEventType};
use crate::run::{EventType, RunId};
use crate::values::TenantId;

/// Whose stream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// A run's, `run-<run_id>`.
    Run(RunId),
    /// That of the tenant's configuration, `config`.
    Config,
}

impl Stream {
    /// The stream of this name; `None` for a name that PowerFill gives to none.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            config::STREAM => Some(Self::Config),
            _ => RunId::of_stream(name).map(Self::Run),
        }
    }

    /// What kind of stream it is, as the `type` of a CloudEvent has it: `run` or `config`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Config => config::STREAM,
        }
    }

    /// The run, where it is one's.
    pub const fn run(self) -> Option<RunId> {
        match self {
            Self::Run(run) => Some(run),
            Self::Config => None,
        }
    }

    /// The id of an event: derived from stream and version, so that a retry gives the same (3.1).
    /// Every tenant's configuration has the same stream's name, so that there the tenant is part of
    /// it: a broker that many tenants' events go to tells them apart by their ids.
    pub fn event_id(self, tenant: &TenantId, stream_version: u64) -> Uuid {
        match self {
            Self::Run(run) => run.event_id(stream_version),
            Self::Config => config::event_id(tenant, stream_version),
        }
    }
}

/// The name of a stored event's type, of whatever stream.
///
/// # Errors
/// [`DecodeError::UnknownType`].
pub fn event_name(name: &str) -> Result<&'static str, DecodeError> {
    EventType::from_name(name)
        .map(EventType::name)
        .or_else(|_| ConfigEventType::from_name(name).map(ConfigEventType::name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_one_stream_and_of_one_type_of_event() {
        let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(Stream::named(&run.stream()), Some(Stream::Run(run)));
        assert_eq!(Stream::named("config"), Some(Stream::Config));
        for other in ["Config", "config-1", "run-1", "notes", ""] {
            assert_eq!(Stream::named(other), None, "{other}");
        }
        for config in ConfigEventType::ALL {
            assert!(EventType::from_name(config.name()).is_err(), "{config:?} is of a run, too");
            assert_eq!(event_name(config.name()).unwrap(), config.name());
        }
        assert!(event_name("Nothing").is_err());
    }

    #[test]
    fn tenants_have_different_ids_for_the_same_place() {
        let ids = ["ACME", "ACME2"]
            .map(|tenant| [1, 2].map(|version| Stream::Config.event_id(&tenant.into(), version)));
        let different: std::collections::BTreeSet<_> = ids.iter().flatten().collect();
        assert_eq!(different.len(), 4);
        assert_eq!(ids[0][1], Stream::Config.event_id(&"ACME".into(), 2));
    }
}
