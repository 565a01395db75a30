//! The schemas of answers whose types are declared where they are made: overviews, stories,
//! replays, comparisons, challenges, and the results of jobs.

use powerfill_app::replay::ReplayReport;
use powerfill_diff::classes::ClassificationCounts;
use powerfill_diff::compare::VerdictCounts;
use powerfill_diff::loan_path::LoanPath;
use powerfill_diff::report::DifferenceRow;
use powerfill_diff::run_differences::RunDifferences;
use powerfill_diff::side::{SideHead, UnreadableCells};
use powerfill_events::challenge::{
    BoundCertified, ChallengeCompleted, ChallengeRequested, ChallengerPlaced, ChallengerReleased,
    ChallengerVerified, ShadowPriceFound,
};
use powerfill_explain::{LoanAccount, PairAccount, TradeAccount};
use powerfill_facts::what_if::WhatIf;
use powerfill_overview::Overview;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Adds the schemas, and gives them to the operations.
///
/// # Panics
/// Two schemas have the same name.
pub(crate) fn describe(document: &mut Value) {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    let of = &mut generator;
    // Clients read an answer as the first that fits. Both have `candidates`: a number, or a list.
    let story = json!({ "anyOf": [link::<PairAccount>(of), link::<LoanAccount>(of)] });
    let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let replay = link::<ReplayReport>(of);
    let results =
        [named("VerdictView"), replay.clone(), named("RunComparison"), named("Challenge")];
    let answers = [
        ("get", "runs/{run_id}/overview", link::<Overview>(of)),
        ("get", "runs/{run_id}/loans/{loan_id}/explain", named("LoanStory")),
        ("get", "runs/{run_id}/trades/{trade_id}/explain", link::<TradeAccount>(of)),
        ("post", "runs/{run_id}/loans/{loan_id}/what-if", link::<WhatIf>(of)),
        ("post", "runs/{run_id}/replay", replay),
        ("post", "runs/{run_id}/diff", named("RunComparison")),
        ("get", "challenges/{challenge}", named("Challenge")),
        ("get", "jobs/{job_id}/result", json!({ "anyOf": results })),
    ];
    for (method, path, schema) in answers {
        let path = format!("/api/powerfill/{path}");
        document["paths"][path][method]["responses"]["200"]["content"] =
            json!({ "application/json": { "schema": schema } });
    }
    let written =
        [("LoanStory", story), ("RunComparison", comparison(of)), ("Challenge", challenge(of))];
    let written = written.map(|(name, schema)| (name.to_owned(), schema));
    let schemas = document["components"]["schemas"].as_object_mut();
    let Some(schemas) = schemas else { return };
    let definitions = generator.take_definitions(true);
    for (name, mut schema) in definitions.clone().into_iter().chain(written) {
        simplify(&mut schema, &definitions);
        assert!(!schemas.contains_key(&name), "two schemas have the name {name}");
        schemas.insert(name, schema);
    }
}

fn link<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// Writes a schema in the words that generators of clients understand: an enumeration as a list of
/// its values, and an object with variants as one object, which requires what all variants have.
fn simplify(schema: &mut Value, definitions: &Map<String, Value>) {
    match schema {
        Value::Array(members) => {
            members.iter_mut().for_each(|member| simplify(member, definitions));
        }
        Value::Object(members) => {
            members.values_mut().for_each(|member| simplify(member, definitions));
            if let Some(value) = members.remove("const") {
                members.insert("enum".to_owned(), json!([value]));
            }
            // A variant has the properties of its content.
            if members.contains_key("properties")
                && let Some(Value::String(content)) = members.remove("$ref")
            {
                let name = content.rsplit('/').next().unwrap_or_default();
                let mut content = definitions[name].clone();
                simplify(&mut content, definitions);
                add_properties(members, &content, true);
            }
            if let Some(Value::Array(parts)) = members.remove("allOf") {
                parts.iter().for_each(|part| add_properties(members, part, true));
            }
            simplify_variants(members);
        }
        _ => {}
    }
}

fn simplify_variants(schema: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = schema.remove("oneOf") else { return };
    let have = |name: &str| variants.iter().all(|variant| !variant[name].is_null());
    if have("properties") {
        variants.iter().for_each(|variant| add_properties(schema, variant, false));
        let required = variants.iter().map(|variant| members(variant, "required"));
        let of_all = required
            .reduce(|all, names| all.into_iter().filter(|name| names.contains(name)).collect());
        extend(schema, "required", of_all.unwrap_or_default());
    } else if have("enum") {
        schema.insert("type".to_owned(), json!("string"));
        variants.iter().for_each(|variant| extend(schema, "enum", members(variant, "enum")));
    } else {
        schema.insert("oneOf".to_owned(), Value::Array(variants));
    }
}

/// Adds the properties of a part, and what it requires if all objects have the part.
fn add_properties(schema: &mut Map<String, Value>, part: &Value, is_of_all: bool) {
    schema.entry("type").or_insert_with(|| json!("object"));
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    for (name, property) in part["properties"].as_object().into_iter().flatten() {
        match properties.get_mut(name) {
            None => properties[name] = property.clone(),
            Some(present) => widen(present, property),
        }
    }
    if is_of_all {
        extend(schema, "required", members(part, "required"));
    }
}

/// The members of a list.
fn members(schema: &Value, list: &str) -> Vec<Value> {
    schema[list].as_array().cloned().unwrap_or_default()
}

/// Adds members to a list that does not have them.
fn extend(schema: &mut Map<String, Value>, list: &str, members: Vec<Value>) {
    let list = schema.entry(list).or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    for member in members {
        if !list.contains(&member) {
            list.push(member);
        }
    }
}

/// Lets a property have the values of another variant too.
fn widen(present: &mut Value, other: &Value) {
    let (here, there) = (PropertyForm::of(present), PropertyForm::of(other));
    let about = here.about.filter(|about| there.about.as_ref() == Some(about));
    let mut widened = match (here.values, there.values) {
        (Some(values), Some(more)) if here.schema == there.schema => {
            let mut schema = here.schema;
            schema.insert("enum".to_owned(), Value::Array(values));
            extend(&mut schema, "enum", more);
            schema
        }
        (None, None) if here.schema == there.schema => here.schema,
        _ => Map::new(),
    };
    if here.is_nullable || there.is_nullable {
        widened = nullable(widened);
    }
    widened.extend(about.map(|about| ("description".to_owned(), about)));
    *present = Value::Object(widened);
}

/// A schema of a property, taken apart.
struct PropertyForm {
    /// Without what the other fields say.
    schema: Map<String, Value>,
    about: Option<Value>,
    values: Option<Vec<Value>>,
    is_nullable: bool,
}

impl PropertyForm {
    fn of(schema: &Value) -> Self {
        let null = json!({ "type": "null" });
        let is_nullable = |list: &[Value], null: &Value| list.len() == 2 && list[1] == *null;
        let (either, types) = (members(schema, "anyOf"), members(schema, "type"));
        let about = schema.get("description").cloned();
        let is_either = is_nullable(&either, &null);
        let schema = if is_either { &either[0] } else { schema };
        let mut schema = schema.as_object().cloned().unwrap_or_default();
        schema.remove("description");
        let is_type = is_nullable(&types, &json!("null"));
        if is_type {
            schema.insert("type".to_owned(), types[0].clone());
        }
        let values = match schema.remove("enum") {
            Some(Value::Array(values)) => Some(values),
            _ => None,
        };
        let values =
            values.map(|values| values.into_iter().filter(|value| !value.is_null()).collect());
        Self { schema, about, values, is_nullable: is_either || is_type }
    }
}

/// The schema, or null. That of any value is null too.
fn nullable(mut schema: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    if let Some(of_type) = schema.get_mut("type") {
        *of_type = json!([of_type, "null"]);
    } else if !schema.is_empty() {
        return Map::from_iter([("anyOf".to_owned(), json!([schema, { "type": "null" }]))]);
    }
    schema
}

/// The schema of a comparison, which is written table by table.
fn comparison(generator: &mut SchemaGenerator) -> Value {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let count = json!({ "type": "integer", "format": "int64", "minimum": 0 });
    let table = json!({
        "table": { "type": "string", "description": "The output table." },
        "key": texts, "decision": texts,
        "compared": texts, "ignored": texts, "missing": texts, "only_there": texts,
        "unread": link::<Vec<UnreadableCells>>(generator),
        "rows_here": count, "rows_there": count,
        "counts": link::<VerdictCounts>(generator),
        "differences": link::<Vec<DifferenceRow<'static>>>(generator),
    });
    let reason = json!({
        "reason": { "type": "string" },
        "message": { "type": "string", "description": "What stands in the way of a comparison." },
    });
    let left_out = json!({ "table": { "type": "string" }, "reason": { "type": "string" } });
    let list = |members| json!({ "type": "array", "items": object(members) });
    let mut schema = object(json!({
        "answer": { "type": "string", "enum": ["same", "different", "incomparable"] },
        "labels": texts,
        "here": link::<SideHead>(generator), "there": link::<SideHead>(generator),
        "same": count, "differences": count,
        "classified": link::<ClassificationCounts>(generator),
        "incomparable": list(reason),
        "left_out": list(left_out),
        "why": link::<Option<RunDifferences>>(generator),
        "tables": list(table),
        "loans_parted": count,
        "loans": link::<Vec<LoanPath>>(generator),
    }));
    schema["description"] =
        json!("A comparison of output tables, as `powerfill diff --format json` has it.");
    schema
}

/// The schema of a challenge, which is put together from its events.
fn challenge(generator: &mut SchemaGenerator) -> Value {
    let mut schema = object(json!({
        "run_id": { "type": "string", "format": "uuid" },
        "challenge": {
            "type": ["string", "null"],
            "description": "The name; null for a challenge that is not recorded.",
        },
        "requested": link::<ChallengeRequested>(generator),
        "certified": link::<BoundCertified>(generator),
        "prices": link::<Vec<ShadowPriceFound>>(generator),
        "placed": link::<Vec<ChallengerPlaced>>(generator),
        "released": link::<Vec<ChallengerReleased>>(generator),
        "verified": link::<Option<ChallengerVerified>>(generator),
        "completed": link::<ChallengeCompleted>(generator),
    }));
    schema["description"] =
        json!("A challenge with all that it found, as `powerfill challenge --json` has it.");
    schema
}

/// An object with all of these members.
fn object(members: Value) -> Value {
    let names: Vec<&String> = members.as_object().into_iter().flat_map(Map::keys).collect();
    json!({ "type": "object", "required": names, "properties": members })
}
