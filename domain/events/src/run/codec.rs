//! Names, schema versions and upcasters of the events (specification 3.1): the one place through which every stored
//! payload is read, for loads, subscriptions and replays alike.

use serde_json::Value;

use super::event::{EventType, RunEvent};
pub use crate::log::DecodeError;
use crate::log::{Upcaster, read_any_version};

/// The upcasters of an event type, oldest first: entry 0 leads from version 1 to 2. Its length is what the present
/// version follows from, so that no version can come without the way to it.
const fn upcasters(event_type: EventType) -> &'static [Upcaster] {
    match event_type {
        EventType::RunRequested => &[without_source_warnings],
        EventType::RunStarted
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

/// Version 1 of `RunRequested` knew no warnings.
fn without_source_warnings(mut requested: Value) -> Value {
    if let Value::Object(fields) = &mut requested {
        fields.insert("source_warnings".to_owned(), Value::Array(Vec::new()));
    }
    requested
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
    let read = |payload: &[u8]| RunEvent::read_payload(event_type, payload);
    read_any_version(event_type.name(), upcasters(event_type), version, payload, read)
}
