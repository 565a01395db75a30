//! Samples of every event in every version ever written (specification 3.1): `tests/golden/events`.
//! A published version never changes: every sample must be readable, and must give the same bytes.
//!
//! Each file has payloads with a value in every field, and payloads with every possible NULL.

use serde_json::value::RawValue;

use crate::events::published_schema;
use crate::published::Published;
use crate::{file, json};

const FOLDER: &str = "tests/golden/events";

pub(crate) fn file_of(event_type: Published, version: u16) -> String {
    format!("{}.v{version}.json", event_type.name())
}

/// The samples of an event's version, as they would be stored.
pub(crate) fn samples(event_type: Published, version: u16) -> Vec<String> {
    let inside = format!("{FOLDER}/{}", file_of(event_type, version));
    let text = file::read(&inside);
    let samples: Vec<&RawValue> =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{inside}: {e}"));
    samples.into_iter().map(|sample| json::compact(sample.get())).collect()
}

/// Every type with each of its versions.
pub(crate) fn versions() -> impl Iterator<Item = (Published, u16)> {
    Published::all()
        .flat_map(|event_type| (1..=event_type.schema_version()).map(move |v| (event_type, v)))
}

#[test]
fn every_version_has_samples_and_there_are_no_others() {
    let mut expected: Vec<String> = versions().map(|(e, version)| file_of(e, version)).collect();
    expected.sort();
    assert_eq!(file::names_in(FOLDER), expected);
    for (event_type, version) in versions() {
        assert!(!samples(event_type, version).is_empty(), "{event_type:?} v{version}");
    }
}

#[test]
fn samples_are_read_and_written_again_byte_for_byte() {
    for (event_type, version) in versions() {
        let mut again = Vec::new();
        for sample in samples(event_type, version) {
            let written = event_type
                .rewrite(version, sample.as_bytes())
                .unwrap_or_else(|e| panic!("{sample}: {e}"));
            if version == event_type.schema_version() {
                again.push(written);
            }
        }
        if version == event_type.schema_version() {
            // Compared as text without line breaks, because order and spelling are published.
            let text = json::pretty(&format!("[{}]", again.join(",")));
            file::assert_is(&format!("{FOLDER}/{}", file_of(event_type, version)), &text);
        }
    }
}

#[test]
fn samples_match_the_schema_and_have_each_field_with_and_without_a_value() {
    for event_type in Published::all() {
        let schema = event_type.schema().to_value();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut payloads: Vec<serde_json::Value> = Vec::new();
        for sample in samples(event_type, event_type.schema_version()) {
            let payload = serde_json::from_str(&sample).unwrap();
            if let Err(fault) = validator.validate(&payload) {
                panic!("{event_type:?}: {fault} at {}", fault.instance_path());
            }
            payloads.push(payload);
        }
        for field in schema["properties"].as_object().unwrap().keys() {
            let has = |null: bool| payloads.iter().any(|payload| payload[field].is_null() == null);
            assert!(has(false), "{event_type:?}: no sample has a value in {field}");
            if admits_null(&schema["properties"][field]) {
                assert!(has(true), "{event_type:?}: no sample has NULL in {field}");
            }
        }
    }
}

#[test]
fn samples_of_an_older_version_match_its_schema_and_are_upcast() {
    let older = versions().filter(|(event_type, version)| *version < event_type.schema_version());
    for (event_type, version) in older {
        let theirs = published_schema(event_type, version);
        let theirs = jsonschema::validator_for(&theirs).unwrap();
        let present = event_type.schema().to_value();
        let present = jsonschema::validator_for(&present).unwrap();
        for sample in samples(event_type, version) {
            let payload = serde_json::from_str(&sample).unwrap();
            assert!(theirs.is_valid(&payload), "{event_type:?} v{version}: {sample}");
            let written = event_type.rewrite(version, sample.as_bytes()).unwrap();
            let payload = serde_json::from_str(&written).unwrap();
            assert!(present.is_valid(&payload), "{event_type:?} v{version}: {written}");
        }
    }
}

fn admits_null(schema: &serde_json::Value) -> bool {
    let is_null = |t: &serde_json::Value| t == "null" || t["type"] == "null";
    ["type", "anyOf"]
        .iter()
        .any(|word| schema[word].as_array().is_some_and(|t| t.iter().any(is_null)))
}

#[test]
fn a_sample_with_a_missing_or_wrong_field_is_refused() {
    for event_type in Published::all() {
        let version = event_type.schema_version();
        let sample = &samples(event_type, version)[0];
        let whole: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(sample).unwrap();
        for field in whole.keys() {
            let mut other = whole.clone();
            other.insert(field.clone(), serde_json::json!({ "other": [1.5] }));
            let bytes = serde_json::to_vec(&other).unwrap();
            assert!(event_type.rewrite(version, &bytes).is_err(), "{event_type:?}.{field}");
        }
    }
}
