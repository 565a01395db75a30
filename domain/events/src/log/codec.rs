//! Reading a stored payload in whatever version it was written (specification 3.1): the one place
//! for loads, subscriptions and replays alike.

use serde::de::DeserializeOwned;
use serde_json::Value;

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

/// Reads JSON. UTF-8 is checked once, and not per text in it.
pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        // It says where the fault is.
        Err(_) => serde_json::from_slice(json),
    }
}

/// Turns a payload of one version into that of the next; `None` where the next version only admits
/// more values.
pub(crate) type Upcaster = Option<fn(Value) -> Value>;

/// The schema version that is written today: the number of upcasters plus 1.
pub(crate) const fn present_version(mut upcasters: &[Upcaster]) -> u16 {
    let mut version = 1;
    while let [_, rest @ ..] = upcasters {
        version += 1;
        upcasters = rest;
    }
    version
}

/// Reads a payload of a type that is called `name`, and whose upcasters are these, oldest first.
pub(crate) fn read_any_version<E>(
    name: &'static str,
    upcasters: &[Upcaster],
    version: u16,
    payload: &[u8],
    read: impl Fn(&[u8]) -> serde_json::Result<E>,
) -> Result<E, DecodeError> {
    let fault = |source| DecodeError::Payload { event_type: name, version, source };
    let present = present_version(upcasters);
    if version == 0 || version > present {
        return Err(DecodeError::UnknownVersion { event_type: name, found: version, present });
    }
    let mut steps = upcasters[usize::from(version) - 1..].iter().flatten().peekable();
    if steps.peek().is_none() {
        return read(payload).map_err(fault);
    }
    let stored: Value = serde_json::from_slice(payload).map_err(fault)?;
    let upcast = steps.fold(stored, |value, step| step(value));
    let bytes = serde_json::to_vec(&upcast).map_err(fault)?;
    read(&bytes).map_err(fault)
}
