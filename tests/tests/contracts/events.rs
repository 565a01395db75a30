//! `docs/reference/events`: a JSON Schema per event, and the page that lists the events.

use std::fmt::Write;

use serde_json::Value;

use crate::golden::{samples, versions};
use crate::published::Published;
use crate::released::assert_unchanged;
use crate::{file, json};

const FOLDER: &str = "docs/reference/events";

fn schema_file(event_type: Published, version: u16) -> String {
    format!("{}.v{version}.schema.json", event_type.name())
}

/// The published schema of a version.
pub(crate) fn published_schema(event_type: Published, version: u16) -> Value {
    let inside = format!("{FOLDER}/{}", schema_file(event_type, version));
    serde_json::from_str(&file::read(&inside)).unwrap_or_else(|e| panic!("{inside}: {e}"))
}

#[test]
fn schemas_follow_from_the_types() {
    for event_type in Published::all() {
        let (schema, version) = (event_type.schema().to_value(), event_type.schema_version());
        assert_unchanged(event_type, version, &schema);
        let file = schema_file(event_type, version);
        file::assert_is(&format!("{FOLDER}/{file}"), &format!("{schema:#}\n"));
    }
    // Schemas of older versions stay, as their samples do.
    let mut expected: Vec<String> =
        versions().map(|(of, version)| schema_file(of, version)).collect();
    expected.sort();
    assert_eq!(file::names_in(FOLDER), expected);
}

#[test]
fn the_page_of_events_follows_from_the_types() {
    file::assert_is("docs/reference/events.md", &page());
}

fn page() -> String {
    let mut page = String::from(
        "# Events of a run\n\n\
         Generated from the types; `UPDATE=1 cargo test -p powerfill-tests --test contracts` writes it again.\n\n\
         Each event is a JSON object in the stream of its run, `run-<run_id>`. Decimals are strings at their scale, \
         dates ISO 8601; every field is present, NULL as `null`. To subscribers an event is a CloudEvent 1.0, see \
         [asyncapi.json](asyncapi.json). The [events of the configuration](#events-of-the-configuration) come after \
         those of runs.\n",
    );
    sections("run", &mut page);
    page.push_str(
        "\n# Events of the configuration\n\n\
         What changed in the configuration that a tenant manages, in its stream `config`. The rows before and after \
         have the columns of their tables.\n",
    );
    sections("config", &mut page);
    page
}

fn sections(kind: &str, page: &mut String) {
    page.push_str("\n| event | says |\n|---|---|\n");
    let of_the_kind = || Published::all().filter(|event_type| event_type.kind() == kind);
    for event_type in of_the_kind() {
        let name = event_type.name();
        let anchor = name.to_lowercase();
        writeln!(page, "| [{name}](#{anchor}) | {} |", event_type.description()).unwrap();
    }
    for event_type in of_the_kind() {
        section(event_type, page);
    }
}

fn section(event_type: Published, page: &mut String) {
    let (name, version) = (event_type.name(), event_type.schema_version());
    let schema = event_type.schema().to_value();
    let description = event_type.description();
    let file = schema_file(event_type, version);
    write!(page, "\n## {name}\n\n{description} Version {version}, [schema](events/{file}).")
        .unwrap();
    for older in (1..version).rev() {
        let file = schema_file(event_type, older);
        write!(page, " Streams may still have version {older}, [schema](events/{file}).").unwrap();
    }
    page.push('\n');
    fields(&schema, page);
    for (defined, definition) in schema["$defs"].as_object().into_iter().flatten() {
        let says = one_line(definition["description"].as_str().unwrap_or_default());
        let words = words(definition);
        if !words.is_empty() {
            write!(page, "\n**{defined}**: {says} {}.\n", words.join(", ")).unwrap();
        } else if definition["type"] == "object" {
            write!(page, "\n**{defined}**: {says}\n").unwrap();
            fields(definition, page);
        }
    }
    let sample = json::pretty(&samples(event_type, version)[0]);
    write!(page, "\n```json\n{sample}```\n").unwrap();
}

fn fields(schema: &Value, page: &mut String) {
    page.push_str("\n| field | type | |\n|---|---|---|\n");
    for (field, of) in in_written_order(schema) {
        let says = of["description"].as_str().unwrap_or_default();
        writeln!(page, "| `{field}` | {} | {} |", type_of(of), one_line(says)).unwrap();
    }
}

/// The fields in the order of the payload, which `required` keeps and a map of properties does not.
fn in_written_order(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let names = schema["required"].as_array().into_iter().flatten();
    let names = names.map(|name| name.as_str().unwrap());
    names.map(|name| (name, &schema["properties"][name]))
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// The values of an enumeration, with or without descriptions.
fn words(definition: &Value) -> Vec<String> {
    let listed = |word: &str| definition[word].as_array().into_iter().flatten();
    let constants = listed("oneOf").flat_map(|choice| {
        let several = choice["enum"].as_array().into_iter().flatten();
        several.chain(choice.get("const"))
    });
    let words = listed("enum").chain(constants);
    words.map(|word| format!("`{}`", word.as_str().unwrap())).collect()
}

/// The type of a field in a few words.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    if let Some(types) = schema["type"].as_array() {
        let of = |single: &Value| type_of(&with_type(schema, single));
        return types.iter().map(of).collect::<Vec<_>>().join(" or ");
    }
    match (schema["type"].as_str().unwrap_or("any"), schema["format"].as_str()) {
        ("array", _) => format!("list of {}", type_of(&schema["items"])),
        ("object", _) => format!("map to {}", type_of(&schema["additionalProperties"])),
        ("integer", _) => "whole number".to_owned(),
        ("string", Some(format)) => format.to_owned(),
        ("string", None) => text_or_decimal(schema),
        (other, _) => other.to_owned(),
    }
}

fn with_type(schema: &Value, single: &Value) -> Value {
    let mut one = schema.clone();
    one["type"] = single.clone();
    one
}

/// Decimals are texts with a pattern that ends with their scale.
fn text_or_decimal(schema: &Value) -> String {
    let scale = schema["pattern"].as_str().and_then(|pattern| {
        let scale = pattern.rsplit_once("]{")?.1;
        Some(scale.trim_end_matches("}$"))
    });
    scale.map_or_else(|| "text".to_owned(), |scale| format!("decimal, {scale} places"))
}
