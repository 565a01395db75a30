//! A stored event as subscribers see it: CloudEvents 1.0, JSON format (specification 3.1).
//!
//! The envelope becomes attributes. The payload stays byte for byte as it was hashed, so that a
//! subscriber can check the hash chain.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::log::StoredEvent;
use crate::stream::Stream;

/// An event in the form of CloudEvents 1.0. Serialized, it is one event of the JSON format.
///
/// Numbers that can exceed 31 bits are strings, because integers of CloudEvents have 32 bits.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CloudEvent<'a> {
    /// The version of CloudEvents.
    pub specversion: &'static str,
    /// Derived from stream and version, so that a repeated delivery has the same.
    pub id: Uuid,
    /// Whose log it is: `/powerfill/<tenant>`, percent-encoded.
    pub source: String,
    /// `powerfill.run.<event_type>.v<schema_version>`, or `powerfill.config.…` in the stream of the
    /// configuration.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The stream, `run-<run_id>` or `config`.
    pub subject: &'a str,
    /// When it was appended, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// What `data` is.
    pub datacontenttype: &'static str,
    /// The run, where the stream is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Uuid>")]
    pub runid: Option<String>,
    /// Its place in the stream, from 1, without gaps.
    #[schemars(extend("pattern" = "^[1-9][0-9]*$"))]
    pub streamversion: String,
    /// Its place in the order of all events of the tenant, from 1, without gaps.
    #[schemars(extend("pattern" = "^[1-9][0-9]*$"))]
    pub globalposition: String,
    /// The version of the schema of `data`.
    pub schemaversion: u16,
    /// Who caused it.
    pub actor: &'a str,
    /// The command or event that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Uuid>,
    /// What belongs together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<Uuid>,
    /// The hash of the event before it in its stream, or of the stream's name; BLAKE3, hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub prevhash: String,
    /// Its own hash.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub hash: String,
    /// The payload, by the schema that `type` names.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub data: &'a RawValue,
}

/// Why a stored event has no CloudEvent. PowerFill never writes such an event.
#[derive(Debug, thiserror::Error)]
pub enum CloudEventError {
    /// The stream has no name of PowerFill, and so its events have no ids.
    #[error("stream {0} is neither that of a run nor that of the configuration")]
    UnknownStream(String),
    /// The payload is not JSON.
    #[error("event {stream_version} of {stream} has a payload that is not JSON: {source}")]
    Payload {
        /// The stream.
        stream: String,
        /// The event's version in it.
        stream_version: u64,
        /// The error of the JSON reader.
        source: serde_json::Error,
    },
}

impl<'a> TryFrom<&'a StoredEvent> for CloudEvent<'a> {
    type Error = CloudEventError;

    fn try_from(event: &'a StoredEvent) -> Result<Self, CloudEventError> {
        let stream = Stream::from_name(&event.stream)
            .ok_or_else(|| CloudEventError::UnknownStream(event.stream.clone()))?;
        let data =
            serde_json::from_slice(&event.payload).map_err(|source| CloudEventError::Payload {
                stream: event.stream.clone(),
                stream_version: event.stream_version,
                source,
            })?;
        Ok(Self {
            specversion: "1.0",
            id: stream.event_id(&event.tenant_id, event.stream_version),
            source: source_of(event.tenant_id.as_str()),
            event_type: type_of(stream.kind(), &event.event_type, event.schema_version),
            subject: &event.stream,
            time: event.recorded_at.to_string(),
            datacontenttype: "application/json",
            runid: stream.run().map(|run| run.to_string()),
            streamversion: event.stream_version.to_string(),
            globalposition: event.global_position.to_string(),
            schemaversion: event.schema_version,
            actor: &event.actor,
            causationid: event.causation_id,
            correlationid: event.correlation_id,
            prevhash: event.prev_hash.to_string(),
            hash: event.hash.to_string(),
            data,
        })
    }
}

/// The `type` of an event: `powerfill.<kind>.<event_type>.v<schema_version>`, where the kind of
/// stream is `run` or `config`.
pub fn type_of(kind: &str, event_type: &str, schema_version: u16) -> String {
    format!("powerfill.{kind}.{event_type}.v{schema_version}")
}

/// The characters that are reserved in a URI. A tenant's name must not look like another path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The `source` of a tenant's events.
fn source_of(tenant: &str) -> String {
    format!("/powerfill/{}", utf8_percent_encode(tenant, RESERVED))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::log::chain_start;
    use crate::values::Timestamp;

    fn stored() -> StoredEvent {
        let stream = "run-01970000-0000-7000-8000-000000000001";
        StoredEvent {
            stream: stream.to_owned(),
            stream_version: 3,
            global_position: 5_000_000_000,
            event_type: "RunFailed".to_owned(),
            schema_version: 1,
            payload: br#"{"step":"ue","code":"X","message":"b\u00f6se"}"#.to_vec(),
            tenant_id: "Acme/Süd 1".into(),
            actor: "dana".to_owned(),
            recorded_at: Timestamp::from_micros(1_768_471_200_123_456),
            causation_id: None,
            correlation_id: Some(Uuid::from_u128(7)),
            prev_hash: chain_start(stream),
            hash: chain_start("another"),
        }
    }

    #[test]
    fn the_envelope_becomes_attributes_and_the_payload_is_unchanged() {
        let stored = stored();
        let text = serde_json::to_string(&CloudEvent::try_from(&stored).unwrap()).unwrap();
        assert!(
            text.ends_with(r#""data":{"step":"ue","code":"X","message":"b\u00f6se"}}"#),
            "{text}"
        );
        let event: Value = serde_json::from_str(&text).unwrap();
        for (attribute, value) in [
            ("specversion", "1.0"),
            ("source", "/powerfill/Acme%2FS%C3%BCd%201"),
            ("type", "powerfill.run.RunFailed.v1"),
            ("subject", "run-01970000-0000-7000-8000-000000000001"),
            ("time", "2026-01-15T10:00:00.123456Z"),
            ("datacontenttype", "application/json"),
            ("runid", "01970000-0000-7000-8000-000000000001"),
            ("streamversion", "3"),
            ("globalposition", "5000000000"),
            ("correlationid", "00000000-0000-0000-0000-000000000007"),
        ] {
            assert_eq!(event[attribute], value, "{attribute}");
        }
        let run = Stream::from_name(&stored.stream).and_then(Stream::run).unwrap();
        assert_eq!(event["id"], run.event_id(3).to_string());
        assert!(event.get("causationid").is_none(), "an absent attribute is left out, not null");
    }

    #[test]
    fn an_event_of_the_configuration_has_no_run() {
        let event_type = "ConstraintRemoved".to_owned();
        let stored = StoredEvent { stream: "config".to_owned(), event_type, ..stored() };
        let event = serde_json::to_value(CloudEvent::try_from(&stored).unwrap()).unwrap();
        assert_eq!(event["type"], "powerfill.config.ConstraintRemoved.v1");
        assert_eq!(event["subject"], "config");
        assert_eq!(event["id"], Stream::Config.event_id(&stored.tenant_id, 3).to_string());
        assert!(event.get("runid").is_none());
    }

    #[test]
    fn names_of_attributes_are_lower_case_letters_and_digits() {
        let stored = stored();
        let event = serde_json::to_value(CloudEvent::try_from(&stored).unwrap()).unwrap();
        for name in event.as_object().unwrap().keys() {
            let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            assert!(name.len() <= 20 && name.bytes().all(allowed), "{name}");
        }
    }

    #[test]
    fn an_event_that_powerfill_never_writes_is_an_error() {
        let foreign = StoredEvent { stream: "notes".to_owned(), ..stored() };
        assert!(CloudEvent::try_from(&foreign).is_err());
        let damaged = StoredEvent { payload: b"{".to_vec(), ..stored() };
        assert!(CloudEvent::try_from(&damaged).is_err());
    }
}
