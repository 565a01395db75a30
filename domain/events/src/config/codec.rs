//! Names, schema versions and upcasters of the configuration's events (specification 3.1): the one place through which
//! every stored payload is read.

use super::event::{ConfigEvent, ConfigEventType};
use crate::log::{DecodeError, Upcaster, read_any_version};

/// The upcasters of an event type, oldest first: entry 0 leads from version 1 to 2. Its length is what the present
/// version follows from, so that no version can come without the way to it.
const fn upcasters(event_type: ConfigEventType) -> &'static [Upcaster] {
    match event_type {
        ConfigEventType::ConfigImported
        | ConfigEventType::ConstraintAdded
        | ConfigEventType::ConstraintChanged
        | ConfigEventType::ConstraintRemoved
        | ConfigEventType::ConstraintsReprioritised
        | ConfigEventType::RuleLinked
        | ConfigEventType::RuleUnlinked
        | ConfigEventType::SecuritizationRuleDefined
        | ConfigEventType::SecuritizationRuleChanged
        | ConfigEventType::SecuritizationRuleRemoved
        | ConfigEventType::CarryBucketSet
        | ConfigEventType::CarryBucketRemoved
        | ConfigEventType::PoolLockSet
        | ConfigEventType::PoolLockRemoved
        | ConfigEventType::PreflightSettingsChanged => &[],
    }
}

impl ConfigEventType {
    /// The schema version that is written today.
    pub const fn schema_version(self) -> u16 {
        upcasters(self).len() as u16 + 1
    }

    /// The type with this name.
    ///
    /// # Errors
    /// [`DecodeError::UnknownType`].
    pub fn from_name(name: &str) -> Result<Self, DecodeError> {
        let named = Self::ALL.iter().copied().find(|event_type| event_type.name() == name);
        named.ok_or_else(|| DecodeError::UnknownType(name.to_owned()))
    }
}

/// Reads a stored payload of any version ever published.
///
/// # Errors
/// [`DecodeError`], never a guess.
pub fn decode(
    event_type: ConfigEventType,
    version: u16,
    payload: &[u8],
) -> Result<ConfigEvent, DecodeError> {
    let read = |payload: &[u8]| ConfigEvent::read_payload(event_type, payload);
    read_any_version(event_type.name(), upcasters(event_type), version, payload, read)
}
