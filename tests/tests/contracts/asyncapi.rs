//! `docs/reference/asyncapi.json`: the streams in AsyncAPI 3.0. Messages are CloudEvents, whose
//! payloads are the events.

use std::collections::BTreeSet;

use powerfill_events::cloud_event::{CloudEvent, type_of};
use powerfill_events::log::chain_start;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::events::StoredEvent;
use serde_json::{Map, Value, json};

use crate::events::published_schema;
use crate::openapi::collect;
use crate::published::Published;
use crate::{file, golden};

const SCHEMAS: &str = "#/components/schemas";

#[test]
fn the_document_follows_from_the_types() {
    file::assert_is("docs/reference/asyncapi.json", &format!("{:#}\n", document()));
}

fn document() -> Value {
    let names = |kind: Option<&'static str>| {
        let of_the_kind = move |one: &Published| kind.is_none_or(|kind| one.kind() == kind);
        golden::versions().filter(move |(one, _)| of_the_kind(one)).map(|(one, v)| name_of(one, v))
    };
    let of_channel = |channel: &str, kind| -> Vec<Value> {
        names(kind)
            .map(|name| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") }))
            .collect()
    };
    let referred = |kind| -> Map<String, Value> {
        let message = |name: &str| json!({ "$ref": format!("#/components/messages/{name}") });
        names(kind).map(|name| (name.clone(), message(&name))).collect()
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

/// The name of a version in the document: that of the event, with the number of an older version.
fn name_of(event_type: Published, version: u16) -> String {
    match version == event_type.schema_version() {
        true => event_type.name().to_owned(),
        false => format!("{}.v{version}", event_type.name()),
    }
}

/// A message per version, because streams keep events in the versions in which they were written.
fn messages() -> Map<String, Value> {
    let message = |(event_type, version): (Published, u16)| {
        let name = name_of(event_type, version);
        let full_name = type_of(event_type.kind(), event_type.name(), version);
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
        (name, message)
    };
    golden::versions().map(message).collect()
}

/// The schemas of the envelope and of all payloads, with their definitions. The definitions of an
/// older version have that version in their names, because they may have changed since.
fn schemas() -> Map<String, Value> {
    let written = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let envelope = written.into_generator().into_root_schema_for::<CloudEvent<'_>>();
    let mut all = Map::new();
    add_with_definitions(&mut all, "CloudEvent", envelope.to_value(), "");
    for (event_type, version) in golden::versions() {
        let name = name_of(event_type, version);
        if version == event_type.schema_version() {
            add_with_definitions(&mut all, &name, event_type.schema().to_value(), "");
        } else {
            let schema = published_schema(event_type, version);
            add_with_definitions(&mut all, &name, schema, &format!("{name}."));
        }
    }
    all
}

fn add_with_definitions(all: &mut Map<String, Value>, name: &str, mut schema: Value, under: &str) {
    let fields = schema.as_object_mut().unwrap();
    fields.remove("$schema");
    if let Some(Value::Object(definitions)) = fields.remove("$defs") {
        for (defined, definition) in definitions {
            add(all, &format!("{under}{defined}"), definition, under);
        }
    }
    add(all, name, schema, under);
}

fn add(all: &mut Map<String, Value>, name: &str, mut schema: Value, under: &str) {
    relocate(&mut schema, under);
    let before = all.insert(name.to_owned(), schema);
    let same = before.is_none_or(|before| before == all[name]);
    assert!(same, "two different types are called {name}");
}

/// Changes references `#/$defs/…`, which are relative to a document per schema.
fn relocate(schema: &mut Value, under: &str) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        *target = target.replace("#/$defs/", &format!("{SCHEMAS}/{under}"));
                    }
                    _ => relocate(member, under),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| relocate(member, under)),
        _ => {}
    }
}

#[test]
fn every_reference_has_a_target() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > Published::all().count());
    for reference in references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
}

/// A sample as a stored event, with and without the optional parts of the envelope.
fn stored((event_type, version): (Published, u16), payload: String, at: u64) -> StoredEvent {
    let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
    StoredEvent {
        stream: event_type.stream().to_owned(),
        stream_version: at + 1,
        global_position: at + 1,
        event_type: event_type.name().to_owned(),
        schema_version: version,
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
fn cloud_events_match_the_message_of_their_type_only() {
    let document = document();
    let validator_of = |(event_type, version): (Published, u16)| {
        let payload = &document["components"]["messages"][name_of(event_type, version)]["payload"];
        let schema = json!({ "allOf": payload["allOf"], "components": document["components"] });
        jsonschema::validator_for(&schema).unwrap()
    };
    let first = golden::versions().next().unwrap();
    for of in golden::versions() {
        let validator = validator_of(of);
        for (sample, at) in golden::samples(of.0, of.1).into_iter().zip(0..) {
            let stored = stored(of, sample, at);
            let event = serde_json::to_value(CloudEvent::try_from(&stored).unwrap()).unwrap();
            if let Err(fault) = validator.validate(&event) {
                panic!("{of:?}: {fault} at {}", fault.instance_path());
            }
            assert!(of == first || !validator_of(first).is_valid(&event));
        }
    }
}
