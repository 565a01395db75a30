//! An event in two versions, side by side.

use std::collections::BTreeMap;

use powerfill_events::run::RunEvent;
use powerfill_ports::events::StoredEvent;
use serde::Serialize;
use serde_json::Value;

/// An event that differs, both versions side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its version in the stream.
    pub stream_version: u64,
    /// As stored; NULL where the stream has no such event.
    pub recorded: Option<Version>,
    /// As decided again; NULL where the replay has no such event.
    pub replayed: Option<Version>,
    /// All fields of both, in the order of their names.
    pub fields: Vec<FieldPair>,
}

/// One version of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// The type's name.
    pub event_type: String,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// The payload, in the present schema where it can be read.
    pub payload: Value,
}

/// A field in both versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldPair {
    /// Its path, such as `pricing.score`.
    pub field: String,
    /// As stored; absent from the payload is NULL here.
    pub recorded: Option<Value>,
    /// As decided again.
    pub replayed: Option<Value>,
}

impl FieldPair {
    /// Whether the field differs.
    pub fn differs(&self) -> bool {
        self.recorded != self.replayed
    }
}

impl Difference {
    pub(super) fn new(
        stream_version: u64,
        recorded: Option<(&StoredEvent, &RunEvent)>,
        replayed: Option<&RunEvent>,
    ) -> Self {
        let recorded = recorded.map(|(stored, event)| Version {
            event_type: stored.event_type.clone(),
            schema_version: stored.schema_version,
            payload: payload(event),
        });
        let replayed = replayed.map(|event| Version {
            event_type: event.event_type().name().to_owned(),
            schema_version: event.event_type().schema_version(),
            payload: payload(event),
        });
        let fields = field_pairs(recorded.as_ref(), replayed.as_ref());
        Self { stream_version, recorded, replayed, fields }
    }
}

/// A payload as JSON.
fn payload(event: &RunEvent) -> Value {
    let mut bytes = Vec::new();
    let written = event.write_payload(&mut bytes);
    written.and_then(|()| serde_json::from_slice(&bytes)).unwrap_or_default()
}

/// The fields of both versions, by path.
fn field_pairs(recorded: Option<&Version>, replayed: Option<&Version>) -> Vec<FieldPair> {
    let mut fields = BTreeMap::<String, (Option<Value>, Option<Value>)>::new();
    let leaves = |version: Option<&Version>| {
        let mut leaves = Vec::new();
        if let Some(version) = version {
            flatten("", &version.payload, &mut leaves);
        }
        leaves
    };
    for (field, value) in leaves(recorded) {
        fields.entry(field).or_default().0 = Some(value);
    }
    for (field, value) in leaves(replayed) {
        fields.entry(field).or_default().1 = Some(value);
    }
    let pair = |(field, (recorded, replayed))| FieldPair { field, recorded, replayed };
    fields.into_iter().map(pair).collect()
}

fn flatten(path: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| flatten(&below(name), value, out));
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items.for_each(|(at, value)| flatten(&below(&at.to_string()), value, out));
        }
        leaf => out.push((path.to_owned(), leaf.clone())),
    }
}
