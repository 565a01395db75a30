//! Names, schema versions and upcasters of the events (specification 3.1): the one place through which every stored
//! payload is read, for loads, subscriptions and replays alike.

use serde_json::Value;

use super::event::{EventType, RunEvent};

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A type that this build does not know.
    #[error("unknown event type {0:?}; it was written by a newer PowerFill")]
    UnknownType(String),
    /// A version that this build does not know.
    #[error("{event_type} has schema version {found}; this PowerFill reads up to {present}")]
    UnknownVersion {
        /// The event's type.
        event_type: &'static str,
        /// The stored version.
        found: u16,
        /// The latest version that this build knows.
        present: u16,
    },
    /// The payload is not what its type and version say.
    #[error("{event_type} v{version} cannot be read: {source}")]
    Payload {
        /// The event's type.
        event_type: &'static str,
        /// The stored version.
        version: u16,
        /// What the JSON reader says.
        source: serde_json::Error,
    },
}

/// Turns a payload of one version into that of the next.
type Upcaster = fn(Value) -> Value;

/// The upcasters of an event type, oldest first: entry 0 leads from version 1 to 2. Its length is what the present
/// version follows from, so that no version can come without the way to it.
const fn upcasters(event_type: EventType) -> &'static [Upcaster] {
    match event_type {
        EventType::RunRequested
        | EventType::RunStarted
        | EventType::PreflightCompleted
        | EventType::TradeAssessed
        | EventType::LoanPinned
        | EventType::CashGridBuilt
        | EventType::TradeSettlementSet
        | EventType::ConstraintMatched
        | EventType::CandidateScored
        | EventType::CandidatesRejected
        | EventType::LoanAllocated
        | EventType::LoanMoved
        | EventType::LoanReleased
        | EventType::PassCompleted
        | EventType::ConstraintBlockEvaluated
        | EventType::TradeFillEvaluated
        | EventType::LoanKickedOut
        | EventType::PoolActionDerived
        | EventType::SyntheticTradePriced
        | EventType::SyntheticOptionsRanked
        | EventType::CashMarketMapped
        | EventType::InvariantsVerified
        | EventType::RunCompleted
        | EventType::RunFailed
        | EventType::RunCancelled => &[],
    }
}

impl EventType {
    /// The schema version that is written today.
    pub const fn schema_version(self) -> u16 {
        upcasters(self).len() as u16 + 1
    }

    /// The type with this name.
    ///
    /// # Errors
    /// [`DecodeError::UnknownType`].
    pub fn from_name(name: &str) -> Result<Self, DecodeError> {
        Self::ALL
            .iter()
            .copied()
            .find(|event_type| event_type.name() == name)
            .ok_or_else(|| DecodeError::UnknownType(name.to_owned()))
    }
}

/// Reads a stored payload of any version ever published.
///
/// # Errors
/// [`DecodeError`], never a guess.
pub fn decode(
    event_type: EventType,
    version: u16,
    payload: &[u8],
) -> Result<RunEvent, DecodeError> {
    let name = event_type.name();
    let fault = |source| DecodeError::Payload { event_type: name, version, source };
    let present = event_type.schema_version();
    if version == present {
        return RunEvent::read_payload(event_type, payload).map_err(fault);
    }
    if version == 0 || version > present {
        return Err(DecodeError::UnknownVersion { event_type: name, found: version, present });
    }
    let stored: Value = serde_json::from_slice(payload).map_err(fault)?;
    let steps = &upcasters(event_type)[usize::from(version) - 1..];
    let upcast = steps.iter().fold(stored, |value, step| step(value));
    let bytes = serde_json::to_vec(&upcast).map_err(fault)?;
    RunEvent::read_payload(event_type, &bytes).map_err(fault)
}
