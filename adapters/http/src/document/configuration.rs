//! The configuration in the OpenAPI document: schemas and operations of every table, from its
//! declaration.

use powerfill_events::input::{InputColumn, Presence};
use serde_json::{Map, Value, json};

use crate::config::resource::{RESOURCES, Resource};
use crate::schema::{Usage, object, property};

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn content(schema: &str) -> Value {
    json!({ "application/json": { "schema": reference(schema) } })
}

/// The answers to a GET.
fn read_answers(schema: &str) -> Value {
    json!({
        "200": { "content": content(schema) },
        "304": { "description": "It has not changed since If-None-Match" },
    })
}

/// Adds the configuration to the document.
pub(crate) fn describe(document: &mut Value) {
    for resource in RESOURCES {
        add_schemas(resource, &mut document["components"]["schemas"]);
        let paths = &mut document["paths"];
        if let Some(path) = resource.list_path() {
            let responses = read_answers(&list_schema(resource));
            paths[path]["get"] = operation(resource, "list", "viewer", &[], responses);
        }
        let responses = read_answers(resource.answer_schema());
        let path = &mut paths[resource.path];
        path["get"] = operation(resource, "show", "viewer", &[], responses);
        path["put"] = put_operation(resource);
        if !resource.table.key_columns().is_empty() {
            let removed = json!({ "description": "It is removed" });
            let responses = json!({ "204": removed, "409": {}, "412": {} });
            path["delete"] =
                operation(resource, "remove", "admin", &[if_match(), reason()], responses);
        }
    }
    let schemas = &mut document["components"]["schemas"];
    schemas["SecRuleGiven"]["example"] = json!({ "rule_syntax": "fico >= 740 AND state <> 'NY'" });
    // Published ranges that are narrower than the declared ones.
    let settings = &mut schemas["PreflightSettings"]["properties"];
    for setting in settings.as_object_mut().into_iter().flat_map(Map::values_mut) {
        setting["minimum"] = json!(0);
    }
    for bucket in ["CarryBucketGiven", "CarryBucketNamed"] {
        schemas[bucket]["properties"]["annual_rate"]["pattern"] =
            json!(r"^(-?[0-9]{1,5}(\.[0-9]{1,6})?)?$");
    }
}

fn put_operation(resource: &Resource) -> Value {
    let row = content(resource.answer_schema());
    let mut responses = json!({ "200": { "content": row }, "409": {} });
    if resource.has_new_rows() {
        responses["200"]["description"] = json!("It existed before");
        responses["201"] = json!({ "content": row, "description": "It is new" });
    }
    if !resource.has_body() {
        responses["422"] = json!({});
        return operation(resource, "put", "admin", &[reason()], responses);
    }
    responses["412"] = json!({});
    let mut put = operation(resource, "put", "admin", &[if_match(), reason()], responses);
    put["requestBody"] = json!({ "content": content(&given_schema(resource)), "required": true });
    put
}

/// An operation on one row, or on all rows if the verb is "list".
fn operation(
    resource: &Resource,
    verb: &str,
    role: &str,
    parameters: &[Value],
    responses: Value,
) -> Value {
    let table = resource.table.schema();
    let [one, all] = resource.names;
    let (name, mut parts, subject) = match verb {
        "list" => (all, Vec::new(), "all rows"),
        _ => (one, path_parts(resource), "a row"),
    };
    parts.extend_from_slice(parameters);
    let action = match verb {
        "put" => "Sets",
        "remove" => "Removes",
        _ => "Shows",
    };
    json!({
        "tags": ["configuration"],
        "operationId": format!("{verb}_{name}"),
        "summary": format!("{action} {subject} of `{}`.", table.name),
        "description": table.description,
        "security": [{ "token": [role] }],
        "parameters": parts,
        "responses": responses,
    })
}

fn if_match() -> Value {
    let schema = json!({ "type": ["string", "null"] });
    json!({ "name": "If-Match", "in": "header", "required": false, "schema": schema })
}

fn reason() -> Value {
    json!({
        "name": "reason", "in": "query", "required": false,
        "description": "Why, for the history; up to 500 characters.",
        "schema": { "type": "string", "maxLength": 500 },
    })
}

/// The parts of the path of a row.
fn path_parts(resource: &Resource) -> Vec<Value> {
    let names = resource.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let part = |(name, column): (&str, &InputColumn)| {
        let mut schema = property(column, Usage::Answer);
        let description = match column.presence {
            Presence::EmptyText => "`-` stands for an empty text",
            _ => column.description,
        };
        let _ = schema.as_object_mut().map(|schema| schema.remove("description"));
        json!({
            "name": name, "in": "path", "required": true,
            "description": description, "schema": schema,
        })
    };
    names.zip(resource.table.schema().columns).map(part).collect()
}

fn list_schema(resource: &Resource) -> String {
    format!("Listed_{}", resource.schema)
}

/// The schema of a body that gives a row without its key.
fn given_schema(resource: &Resource) -> String {
    match resource.table.schema().key {
        [] => resource.schema.to_owned(),
        _ => format!("{}Given", resource.schema),
    }
}

fn token(description: &str) -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "description": description })
}

/// The schema of a row in an answer.
fn row_schema(resource: &Resource) -> Value {
    let table = resource.table.schema();
    let mut row = object(table.description, table.columns, Usage::Answer);
    let mut members = Vec::new();
    if let Some((member, description)) = resource.links() {
        let items = json!({ "type": "string" });
        members
            .push((member, json!({ "type": "array", "items": items, "description": description })));
    }
    members.push(("token", token("The version at which the row last changed; its ETag.")));
    for (member, schema) in members {
        row["properties"][member] = schema;
        row["required"].as_array_mut().into_iter().for_each(|names| names.push(json!(member)));
    }
    if !resource.example.is_empty() {
        row["example"] = serde_json::from_str(resource.example).expect("an example is JSON");
    }
    row
}

fn add_schemas(resource: &Resource, schemas: &mut Value) {
    let table = resource.table.schema();
    let given = |from: usize, description: &str| {
        object(description, &table.columns[from..], Usage::Request)
    };
    let (name, key) = (resource.schema, table.key.len());
    if key == 0 {
        let description = "The settings of preflight. In a change, an absent one has its default.";
        let mut settings = object(description, table.columns, Usage::Answer);
        settings["additionalProperties"] = json!(false);
        schemas[name] = settings;
        return;
    }
    let row = row_schema(resource);
    if resource.list_path().is_some() {
        let about = "The token of the table: the version at which any of its rows last changed, \
                     was added, or was removed.";
        schemas[list_schema(resource)] = json!({
            "type": "object",
            "description": "All rows of one version.",
            "required": ["rows", "token"],
            "properties": { "rows": { "type": "array", "items": row }, "token": token(about) },
        });
    }
    if resource.has_body() {
        schemas[given_schema(resource)] = given(key, "The values of a row.");
    }
    // A row as a list of a body has it, with those columns of its key that the body must give.
    let whole = match name {
        "Constraint" => Some(("ConstraintAdded", 0)),
        "CarryBucket" => Some(("CarryBucketNamed", 1)),
        "PoolLock" => Some(("PoolLockNamed", 0)),
        _ => None,
    };
    if let Some((name, from)) = whole {
        schemas[name] = given(from, table.description);
    }
    if resource.answer_schema() != name {
        schemas[resource.answer_schema()] = json!({
            "description": "A bucket, and the warnings about the curve of its instrument.",
            "allOf": [reference(name), {
                "type": "object",
                "required": ["warnings"],
                "properties": {
                    "warnings": { "type": "array", "items": reference("CarryWarning") },
                },
            }],
        });
    }
    schemas[name] = row;
}
