//! `docs/reference/asyncapi.json`: AsyncAPI 3.0 of the streams. Messages are CloudEvents; payloads are the events.

use std::collections::BTreeSet;

use powerfill_domain::run::RunId;
use powerfill_domain::run::envelope::chain_start;
use powerfill_domain::values::Timestamp;
use powerfill_ports::cloud_event::{CloudEvent, type_of};
use powerfill_ports::events::StoredEvent;
use serde_json::{Map, Value, json};

use crate::openapi::collect;
use crate::published::Published;
use crate::{file, golden};

const SCHEMAS: &str = "#/components/schemas";

#[test]
fn the_document_is_that_of_the_types() {
    file::assert_is("docs/reference/asyncapi.json", &format!("{:#}\n", document()));
}

fn document() -> Value {
    let names = |kind: Option<&'static str>| {
        let of_the_kind = move |one: &Published| kind.is_none_or(|kind| one.kind() == kind);
        Published::all().filter(of_the_kind).map(Published::name)
    };
    let of_channel = |channel: &str, kind| -> Vec<Value> {
        names(kind)
            .map(|name| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") }))
            .collect()
    };
    let referred = |kind| -> Map<String, Value> {
        let message = |name| json!({ "$ref": format!("#/components/messages/{name}") });
        names(kind).map(|name| (name.to_owned(), message(name))).collect()
    };
    let (run, config) = (Some("run"), Some("config"));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "PowerFill events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What runs decide, and what changes in the configuration, event by event, as CloudEvents 1.0 in JSON format.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "service": {
                "host": "{host}",
                "protocol": "http",
                "description": "powerfill serve, behind a proxy that speaks TLS.",
                "variables": { "host": { "default": "127.0.0.1:7878" } },
                "security": [{ "$ref": "#/components/securitySchemes/token" }],
            },
            "nats": {
                "host": "{host}",
                "protocol": "nats",
                "description": "The NATS server that powerfill relay sends to; JetStream stream POWERFILL.",
                "variables": { "host": { "default": "127.0.0.1:4222" } },
            },
        },
        "channels": {
            "stream": {
                "title": "Server-Sent Events of a tenant",
                "description": "The tenant of the header X-Tenant-Id. The id of each is its global position; Last-Event-ID resumes \
                                after it. The data is the CloudEvent.",
                "address": "/api/powerfill/events/stream",
                "servers": [{ "$ref": "#/servers/service" }],
                "messages": referred(None),
            },
            "relay": {
                "title": "JetStream stream POWERFILL",
                "description": "Each tenant's events in the order of globalposition, once each; Nats-Msg-Id is the CloudEvent's id.",
                "address": "powerfill.{tenant}.{kind}.{event_type}",
                "servers": [{ "$ref": "#/servers/nats" }],
                "parameters": {
                    "tenant": {
                        "description": "Letters, digits, - and _ of ASCII as they are, every other byte as %XX.",
                    },
                    "kind": { "enum": ["run", "config"], "description": "What the event is of." },
                    "event_type": { "description": "The event's type, without its version." },
                },
                "messages": referred(None),
            },
            "log": {
                "title": "All events of a tenant",
                "description": "In the order of globalposition, without gaps. Whoever remembers the last one misses none.",
                "address": null,
                "messages": referred(None),
            },
            "run": {
                "title": "The events of one run",
                "description": "In the order of streamversion, from 1, without gaps.",
                "address": "run-{run_id}",
                "parameters": { "run_id": { "description": "A UUID of version 7." } },
                "messages": referred(run),
            },
            "config": {
                "title": "The events of the configuration",
                "description": "In the order of streamversion, from 1, without gaps.",
                "address": "config",
                "messages": referred(config),
            },
        },
        "operations": {
            "followLog": {
                "action": "send",
                "channel": { "$ref": "#/channels/log" },
                "messages": of_channel("log", None),
            },
            "followStream": {
                "action": "send",
                "channel": { "$ref": "#/channels/stream" },
                "bindings": { "http": { "method": "GET", "bindingVersion": "0.3.0" } },
                "messages": of_channel("stream", None),
            },
            "relayEvents": {
                "action": "send",
                "channel": { "$ref": "#/channels/relay" },
                "messages": of_channel("relay", None),
            },
            "readRun": {
                "action": "send",
                "channel": { "$ref": "#/channels/run" },
                "messages": of_channel("run", run),
            },
            "readConfig": {
                "action": "send",
                "channel": { "$ref": "#/channels/config" },
                "messages": of_channel("config", config),
            },
        },
        "components": {
            "messages": messages(),
            "schemas": schemas(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn messages() -> Map<String, Value> {
    let message = |event_type: Published| {
        let (name, version) = (event_type.name(), event_type.schema_version());
        let full_name = type_of(event_type.kind(), name, version);
        let message = json!({
            "name": full_name,
            "title": name,
            "summary": event_type.description(),
            "contentType": "application/cloudevents+json",
            "payload": {
                "allOf": [
                    { "$ref": format!("{SCHEMAS}/CloudEvent") },
                    {
                        "type": "object",
                        "properties": {
                            "type": { "const": full_name },
                            "schemaversion": { "const": version },
                            "data": { "$ref": format!("{SCHEMAS}/{name}") },
                        },
                    },
                ],
            },
        });
        (name.to_owned(), message)
    };
    Published::all().map(message).collect()
}

/// The envelope and all payloads, with what they refer to, under one roof.
fn schemas() -> Map<String, Value> {
    let written = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let envelope = written.into_generator().into_root_schema_for::<CloudEvent<'_>>();
    let payloads = Published::all().map(|event_type| (event_type.name(), event_type.schema()));
    let mut all = Map::new();
    for (name, schema) in std::iter::once(("CloudEvent", envelope)).chain(payloads) {
        let mut schema = schema.to_value();
        let fields = schema.as_object_mut().unwrap();
        fields.remove("$schema");
        if let Some(Value::Object(definitions)) = fields.remove("$defs") {
            for (defined, definition) in definitions {
                add(&mut all, &defined, definition);
            }
        }
        add(&mut all, name, schema);
    }
    all
}

fn add(all: &mut Map<String, Value>, name: &str, mut schema: Value) {
    relocate(&mut schema);
    let before = all.insert(name.to_owned(), schema);
    let same = before.is_none_or(|before| before == all[name]);
    assert!(same, "two different types are called {name}");
}

/// `#/$defs/…` is relative to a schema's own document; here they share one.
fn relocate(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        *target = target.replace("#/$defs", SCHEMAS);
                    }
                    _ => relocate(member),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(relocate),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > Published::all().count());
    for reference in references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
}

/// The samples as a store would have them, the envelope with and without its optional parts.
fn stored(event_type: Published, payload: String, at: u64) -> StoredEvent {
    let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
    StoredEvent {
        stream: event_type.stream().to_owned(),
        stream_version: at + 1,
        global_position: at + 1,
        event_type: event_type.name().to_owned(),
        schema_version: event_type.schema_version(),
        payload: payload.into_bytes(),
        tenant_id: "ACME".into(),
        actor: "dana".to_owned(),
        recorded_at: Timestamp::from_micros(1_768_471_200_000_000),
        causation_id: (at > 0).then_some(run.0),
        correlation_id: (at > 0).then_some(run.0),
        prev_hash: chain_start("one"),
        hash: chain_start("two"),
    }
}

#[test]
fn cloud_events_fulfil_the_document_and_only_under_their_own_type() {
    let document = document();
    let validator_of = |event_type: Published| {
        let payload = &document["components"]["messages"][event_type.name()]["payload"];
        let schema = json!({ "allOf": payload["allOf"], "components": document["components"] });
        jsonschema::validator_for(&schema).unwrap()
    };
    let first = Published::all().next().unwrap();
    for event_type in Published::all() {
        let validator = validator_of(event_type);
        let samples = golden::samples(event_type, event_type.schema_version());
        for (sample, at) in samples.into_iter().zip(0..) {
            let stored = stored(event_type, sample, at);
            let event = serde_json::to_value(CloudEvent::try_from(&stored).unwrap()).unwrap();
            if let Err(fault) = validator.validate(&event) {
                panic!("{event_type:?}: {fault} at {}", fault.instance_path());
            }
            assert!(event_type == first || !validator_of(first).is_valid(&event));
        }
    }
}
