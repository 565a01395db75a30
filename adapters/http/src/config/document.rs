//! The configuration in the OpenAPI document: schemas and operations of every table, from its
//! declaration.

use serde_json::{Map, Value, json};

use super::resource::{RESOURCES, Resource};
use crate::schema::{Usage, object};

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn content(schema: &str) -> Value {
    json!({ "application/json": { "schema": reference(schema) } })
}

/// Adds the configuration to the document.
pub(crate) fn describe(document: &mut Value) {
    for resource in RESOURCES {
        add_schemas(resource, &mut document["components"]["schemas"]);
        let paths = &mut document["paths"];
        if let Some(summary) = resource.list {
            let id = format!("list_{}", resource.names.1);
            let responses = json!({ "200": { "content": content(&list_schema(resource)) } });
            paths[resource.list_path()]["get"] =
                operation("viewer", &id, summary, json!([]), responses);
        }
        let [show, put, remove] =
            ["show", "put", "remove"].map(|verb| format!("{verb}_{}", resource.names.0));
        let row = content(resource.schema.1);
        let responses = json!({ "200": { "content": row } });
        let path = &mut paths[resource.path];
        path["get"] =
            operation("viewer", &show, resource.show, parameters(resource, &[]), responses);
        path["put"] = put_operation(resource, &put);
        if let Some(summary) = resource.remove {
            let mut responses = json!({ "204": { "description": "It is removed" }, "412": {} });
            if links(resource).is_some() {
                responses["409"] = json!({});
            }
            let parameters = parameters(resource, &[if_match(), reason()]);
            path["delete"] = operation("admin", &remove, summary, parameters, responses);
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

fn put_operation(resource: &Resource, id: &str) -> Value {
    let row = content(resource.schema.1);
    let mut responses = json!({ "200": { "content": row } });
    if resource.has_new_rows() {
        responses["200"]["description"] = json!("It existed before");
        responses["201"] = json!({ "content": row, "description": "It is new" });
    }
    let (conditions, status): (&[Value], _) = match resource.has_body() {
        true => (&[if_match(), reason()], "412"),
        false => (&[reason()], "422"),
    };
    responses[status] = json!({});
    let parameters = parameters(resource, conditions);
    let mut operation = operation("admin", id, resource.put, parameters, responses);
    if resource.has_body() {
        operation["requestBody"] =
            json!({ "content": content(&given_schema(resource)), "required": true });
    }
    operation
}

fn operation(role: &str, id: &str, summary: &str, parameters: Value, responses: Value) -> Value {
    json!({
        "tags": ["configuration"],
        "operationId": id,
        "summary": summary,
        "security": [{ "token": [role] }],
        "parameters": parameters,
        "responses": responses,
    })
}

fn if_match() -> Value {
    json!({ "name": "If-Match", "in": "header", "required": false, "schema": { "type": ["string", "null"] } })
}

fn reason() -> Value {
    json!({
        "name": "reason", "in": "query", "required": false,
        "description": "Why, for the history; up to 500 characters.",
        "schema": { "type": "string", "maxLength": 500 },
    })
}

/// The parts of the path of a row, and other parameters.
fn parameters(resource: &Resource, more: &[Value]) -> Value {
    let names = resource.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let part = |(name, column)| {
        let schema = &object("", std::slice::from_ref(column), Usage::Answer)["properties"];
        let mut schema = schema[column.name].clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("description");
        }
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    };
    let parts = names.zip(resource.table.schema().columns).map(part);
    parts.chain(more.iter().cloned()).collect()
}

/// What is linked to a row, and what the member of an answer is.
fn links(resource: &Resource) -> Option<(&'static str, &'static str)> {
    match resource.names.0 {
        "constraint" => Some(("rules", "The rules that are linked to it.")),
        "sec_rule" => Some((
            "constraints",
            "The nodes that it is linked to, the parts of their keys joined by a vertical bar.",
        )),
        _ => None,
    }
}

fn list_schema(resource: &Resource) -> String {
    format!("Listed_{}", resource.schema.0)
}

/// The schema of a body that gives a row without its key.
fn given_schema(resource: &Resource) -> String {
    match resource.table.schema().key {
        [] => resource.schema.0.to_owned(),
        _ => format!("{}Given", resource.schema.0),
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
    if let Some((member, description)) = links(resource) {
        let items = json!({ "type": "string" });
        members
            .push((member, json!({ "type": "array", "items": items, "description": description })));
    }
    members.push(("token", token("The version at which the row last changed; its ETag.")));
    for (member, schema) in members {
        row["properties"][member] = schema;
        row["required"].as_array_mut().into_iter().for_each(|names| names.push(json!(member)));
    }
    if let Some(example) = resource.example {
        row["example"] = serde_json::from_str(example).expect("an example is JSON");
    }
    row
}

fn add_schemas(resource: &Resource, schemas: &mut Value) {
    let table = resource.table.schema();
    let given = |from: usize, description: &str| {
        object(description, &table.columns[from..], Usage::Request)
    };
    let (name, key) = (resource.schema.0, table.key.len());
    if key == 0 {
        let description = "The settings of preflight. In a change, an absent one has its default.";
        let mut settings = object(description, table.columns, Usage::Answer);
        settings["additionalProperties"] = json!(false);
        schemas[name] = settings;
        return;
    }
    let row = row_schema(resource);
    if resource.list.is_some() {
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
    if resource.schema.1 != name {
        schemas[resource.schema.1] = json!({
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
