//! The headers that operations have in common, in the OpenAPI document.

use powerfill_tables::status::RunStatus;
use serde_json::{Value, json};

/// Headers of every answer, declared where it has succeeded: their names, and their descriptions.
const ALWAYS: [(&str, &str); 3] = [
    ("X-Request-Id", "The id of the request, which is in the log of the service"),
    ("RateLimit-Policy", "The requests (`q`) that the token may send in `w` seconds"),
    ("RateLimit", "The requests that the token may still send now (`r`)"),
];

/// Headers of pages.
const OF_PAGES: [(&str, &str); 2] = [
    ("Link", "The next page, and from another one the first page, with `rel`"),
    ("X-Total-Count", "The number of all members, if it is known without reading them"),
];

/// The operations that return pages, besides the reports.
const PAGES: [&str; 5] = ["list", "storage", "of_all", "of_run", "configuration_history"];

/// Adds the headers as components.
pub(crate) fn add_components(document: &mut Value) {
    let headers = ALWAYS.iter().chain(&OF_PAGES).map(|(name, description)| {
        let schema = match *name {
            "X-Total-Count" => json!({ "type": "integer", "minimum": 0 }),
            _ => json!({ "type": "string" }),
        };
        ((*name).to_owned(), json!({ "description": description, "schema": schema }))
    });
    document["components"]["headers"] = Value::Object(headers.collect());
    document["components"]["headers"]["Retry-After"] = json!({
        "description": "The seconds after which a retry makes sense",
        "schema": { "type": "integer", "minimum": 0 },
    });
    document["components"]["headers"]["ETag"] = json!({
        "description": "For If-None-Match, and of a row for If-Match",
        "schema": { "type": "string" },
    });
}

/// What the operations with a tag are about.
const TAGS: [(&str, &str); 11] = [
    ("service", "The state of the service and of a tenant's store, queue, and workers"),
    ("session", "Sessions of browsers"),
    ("input", "The tenant's source before a run"),
    ("runs", "Runs: request, list, status, steps, cancel"),
    ("scenarios", "Edited inputs beside a run"),
    ("reports", "The outputs of a run"),
    ("challenges", "How far a run is from the best possible, and better allocations"),
    ("stories", "Why a loan or a trade got what it got"),
    ("events", "Events of runs and of the configuration"),
    ("audit", "Replays, verifications, comparisons, evidence, and the jobs that make them"),
    ("configuration", "The configuration that a tenant manages in PowerFill"),
];

/// Properties with the status of a run, by their schemas.
const STATUSES: [(&str, &str); 6] = [
    ("RunHead", "status"),
    ("RunAccepted", "status"),
    ("RunStorage", "status"),
    ("RunCount", "status"),
    ("RunState", "status"),
    ("Problem", "run_status"),
];

/// Describes the tags that operations have, and gives repeated enumerations a name.
pub(crate) fn name_values(document: &mut Value) {
    let paths = document["paths"].to_string();
    let tags = TAGS.iter().filter(|(name, _)| paths.contains(&format!("[\"{name}\"]")));
    document["tags"] =
        tags.map(|(name, about)| json!({ "name": name, "description": about })).collect();
    let schemas = &mut document["components"]["schemas"];
    schemas["RunStatus"] = json!({
        "type": "string", "enum": RunStatus::ALL.map(RunStatus::name),
        "description": "How far a run is.",
    });
    for (schema, property) in STATUSES {
        let property = &mut schemas[schema]["properties"][property];
        if !property.is_null() {
            *property = json!({ "$ref": "#/components/schemas/RunStatus" });
        }
    }
}

/// Links the answer that accepts something to the operations that show it.
pub(crate) fn link(operation: &mut Value) {
    let Some(answer) = operation.pointer_mut("/responses/202") else { return };
    let schema = answer["content"]["application/json"]["schema"]["$ref"].as_str();
    let links = match schema.and_then(|name| name.rsplit('/').next()) {
        Some("RunAccepted") => [("run", "show", "run_id"), ("cancel", "cancel", "run_id")],
        Some("Job") => [("job", "job", "job_id"), ("result", "job_result", "job_id")],
        _ => return,
    };
    for (name, operation, id) in links {
        let value = format!("$response.body#/{id}");
        answer["links"][name] = json!({ "operationId": operation, "parameters": { id: value } });
    }
}

/// Adds a parameter to an operation.
pub(crate) fn add_parameter(operation: &mut Value, parameter: Value) {
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

/// Declares the headers of an operation in its answers and parameters.
pub(crate) fn declare(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default();
    let is_page = PAGES.contains(&id) || id.starts_with("report_");
    let is_cached = operation["responses"]["304"].is_object();
    if is_cached {
        let condition = json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of an earlier answer: 304 if it is still the same",
            "schema": { "type": "string" },
        });
        add_parameter(operation, condition);
    }
    let answers = operation["responses"].as_object_mut().into_iter().flatten();
    for (status, answer) in answers {
        let mut names = Vec::new();
        if status.starts_with('2') {
            names.extend(ALWAYS.map(|(name, _)| name));
        }
        match status.as_str() {
            "200" if is_page => names.extend(OF_PAGES.map(|(name, _)| name)),
            "429" | "503" => names.push("Retry-After"),
            _ => {}
        }
        if is_cached && ["200", "304"].contains(&status.as_str()) {
            names.push("ETag");
        }
        for name in names {
            // A description of the operation's own stays.
            if answer["headers"][name].is_null() {
                let reference = format!("#/components/headers/{name}");
                answer["headers"][name] = json!({ "$ref": reference });
            }
        }
    }
}
