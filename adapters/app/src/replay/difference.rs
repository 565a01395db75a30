//! A recorded event and the replayed one, side by side.

use std::collections::BTreeMap;

use powerfill_events::run::RunEvent;
use powerfill_ports::events::StoredEvent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An event that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventDifference {
    /// The event's version in the stream.
    pub stream_version: u64,
    /// The stored event; NULL if the stream is shorter.
    pub recorded: Option<EventContent>,
    /// The event that the engine decides now; NULL if the replay is shorter.
    pub replayed: Option<EventContent>,
    /// All fields of both events, ordered by path.
    pub fields: Vec<FieldPair>,
}

/// The type and the content of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventContent {
    /// The name of the event type.
    pub event_type: String,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// The payload, in the present schema if it can be read.
    pub payload: Value,
}

/// A field of both events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldPair {
    /// The path, such as `pricing.score`.
    pub field: String,
    /// The stored value; NULL if the payload does not have the field.
    pub recorded: Option<Value>,
    /// The value that the engine decides now; NULL if its payload does not have the field.
    pub replayed: Option<Value>,
}

impl FieldPair {
    /// Whether the values differ.
    pub fn differs(&self) -> bool {
        self.recorded != self.replayed
    }
}

impl EventDifference {
    pub(super) fn new(
        stream_version: u64,
        recorded: Option<(&StoredEvent, &RunEvent)>,
        replayed: Option<&RunEvent>,
    ) -> Self {
        let recorded = recorded.map(|(stored, event)| EventContent {
            event_type: stored.event_type.clone(),
            schema_version: stored.schema_version,
            payload: payload(event),
        });
        let replayed = replayed.map(|event| EventContent {
            event_type: event.event_type().name().to_owned(),
            schema_version: event.event_type().schema_version(),
            payload: payload(event),
        });
        let fields = field_pairs(recorded.as_ref(), replayed.as_ref());
        Self { stream_version, recorded, replayed, fields }
    }
}

fn payload(event: &RunEvent) -> Value {
    let mut bytes = Vec::new();
    let written = event.write_payload(&mut bytes);
    written.and_then(|()| serde_json::from_slice(&bytes)).unwrap_or_default()
}

/// The fields of both events, by path.
fn field_pairs(recorded: Option<&EventContent>, replayed: Option<&EventContent>) -> Vec<FieldPair> {
    let mut fields = BTreeMap::<String, (Option<Value>, Option<Value>)>::new();
    let leaves = |content: Option<&EventContent>| {
        let mut leaves = Vec::new();
        if let Some(content) = content {
            flatten("", &content.payload, &mut leaves);
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
