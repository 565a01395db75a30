//! `tests/golden/released_schemas.txt`: the event schemas of every released version. Stored events
//! must stay readable, so the structure of a released schema never changes; its descriptions may.
//!
//! The file has a line per release of `docs/CHANGELOG.md`, followed by the schemas that were new in
//! it, each with the BLAKE3 of the schema without its descriptions. `UPDATE=1` adds the section of
//! a release, and changes nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::events::published_schema;
use crate::file;
use crate::golden::versions;
use crate::published::Published;

const FILE: &str = "tests/golden/released_schemas.txt";

/// A released schema: the release, and the digest of the structure.
struct Released {
    release: String,
    digest: String,
}

/// The released schemas by event and version, and the releases in their order.
fn released() -> (BTreeMap<(String, u16), Released>, Vec<String>) {
    let (mut schemas, mut releases) = (BTreeMap::new(), Vec::new());
    for line in file::read(FILE).lines() {
        if let Some(release) = line.strip_prefix("release ") {
            releases.push(release.to_owned());
            continue;
        }
        let (name, digest) = line.split_once(' ').expect("a schema and its digest");
        let (event, version) = name.rsplit_once(".v").expect("an event and its version");
        let release = releases.last().expect("a release before its schemas").clone();
        let released = Released { release, digest: digest.to_owned() };
        schemas.insert((event.to_owned(), version.parse().unwrap()), released);
    }
    (schemas, releases)
}

/// The schema without its descriptions, with the members of each object in order.
fn structure(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let described = members.iter().filter(|(name, _)| *name != "description");
            let sorted: BTreeMap<_, _> = described
                .map(|(name, member)| match (name.as_str(), member) {
                    // The members of these are fields and types, which may have any name.
                    ("properties" | "$defs", Value::Object(named)) => {
                        let named: BTreeMap<_, _> =
                            named.iter().map(|(name, member)| (name, structure(member))).collect();
                        (name, serde_json::to_value(named).unwrap())
                    }
                    _ => (name, structure(member)),
                })
                .collect();
            serde_json::to_value(sorted).unwrap()
        }
        Value::Array(members) => Value::Array(members.iter().map(structure).collect()),
        other => other.clone(),
    }
}

fn digest(schema: &Value) -> String {
    blake3::hash(structure(schema).to_string().as_bytes()).to_hex().to_string()
}

/// Refuses a schema of a released version whose structure is not the released one.
fn check(event: &str, version: u16, schema: &Value) -> Result<(), String> {
    let (schemas, _) = released();
    let Some(Released { release, digest: expected }) = schemas.get(&(event.to_owned(), version))
    else {
        return Ok(());
    };
    if digest(schema) == *expected {
        return Ok(());
    }
    Err(format!(
        "the schema of {event} version {version} was released with {release}, and its structure has changed: \
         restore it, and add version {} with an upcaster (docs/CHANGING.md)",
        version + 1
    ))
}

/// Fails before a released schema is written again with another structure.
pub(crate) fn assert_unchanged(event_type: Published, version: u16, schema: &Value) {
    check(event_type.name(), version, schema).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn released_schemas_keep_their_structure() {
    for (event_type, version) in versions() {
        assert_unchanged(event_type, version, &published_schema(event_type, version));
    }
    let present: Vec<(String, u16)> =
        versions().map(|(event_type, version)| (event_type.name().to_owned(), version)).collect();
    for (released, _) in released().0 {
        assert!(present.contains(&released), "{released:?} was released, and is gone");
    }
}

#[test]
fn every_release_has_a_section() {
    let changelog = file::read("docs/CHANGELOG.md");
    let named = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split_once(']'));
    let mut expected: Vec<&str> =
        named.map(|(release, _)| release).filter(|release| *release != "Unreleased").collect();
    expected.reverse();
    let (schemas, releases) = released();
    if let [known @ .., newest] = expected.as_slice()
        && known == releases.as_slice()
        && std::env::var_os("UPDATE").is_some()
    {
        let mut text = file::read(FILE);
        writeln!(text, "release {newest}").unwrap();
        for (event_type, version) in versions() {
            let name = event_type.name();
            if !schemas.contains_key(&(name.to_owned(), version)) {
                let schema = published_schema(event_type, version);
                writeln!(text, "{name}.v{version} {}", digest(&schema)).unwrap();
            }
        }
        file::assert_is(FILE, &text);
        return;
    }
    assert_eq!(releases, expected, "{FILE}: UPDATE=1 adds the newest release");
}

#[test]
fn a_released_schema_may_change_its_descriptions_and_nothing_else() {
    let event_type = Published::all().find(|of| of.name() == "LoanKickedOut").unwrap();
    let schema = published_schema(event_type, 1);
    let changed = |change: fn(&mut Value)| {
        let mut changed = schema.clone();
        change(&mut changed);
        assert_ne!(changed, schema);
        check("LoanKickedOut", 1, &changed)
    };
    let described = changed(|schema| schema["description"] = "Another description.".into());
    assert_eq!(described, Ok(()));
    let described =
        changed(|schema| schema["properties"]["candidates"]["description"] = "Another.".into());
    assert_eq!(described, Ok(()));
    let structural: [fn(&mut Value); 4] = [
        |schema| schema["properties"]["description"] = serde_json::json!({ "type": "string" }),
        |schema| schema["properties"]["candidates"]["type"] = "string".into(),
        |schema| drop(schema["required"].as_array_mut().unwrap().pop()),
        |schema| drop(schema["$defs"]["KickoutReason"]["oneOf"].as_array_mut().unwrap().pop()),
    ];
    for change in structural {
        let refused = changed(change).unwrap_err();
        assert!(refused.contains("released with 0.1.0"), "{refused}");
        assert!(refused.contains("add version 2"), "{refused}");
    }
}
