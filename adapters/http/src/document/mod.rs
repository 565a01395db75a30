//! The parts of the OpenAPI document that do not come from attributes of handlers: reports and the
//! configuration from the declarations of their tables, the CloudEvent, and what all operations
//! have in common. The service serves what a test has written of the document, so it is built
//! without the feature.

mod answers;
mod configuration;
mod declared;

use std::collections::BTreeSet;

use powerfill_events::cloud_event::CloudEvent;
use powerfill_tables::table::{CellType, Column, TableSpec};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use self::declared::{add_components, add_parameter, declare, link, name_values};
use crate::problem::ProblemKind;
use crate::reports::{DEFAULT_LIMIT, MAX_LIMIT, REPORTS, Report, XLSX};
use crate::schema::run_options;

/// The run of the examples.
const RUN: &str = "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34";

/// The operations without a token and a tenant.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/api/powerfill/session"];

/// Completes the document of the routes.
pub(crate) fn complete(routes: OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    document["info"]["license"] = json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" });
    document["servers"] = json!([{ "url": "/", "description": "The service of this document" }]);
    schemas(&mut document);
    configuration::describe(&mut document);
    for report in REPORTS.iter() {
        document["paths"][report.path()] = json!({ "get": operation(report) });
    }
    event_pages(&mut document);
    answers::describe(&mut document);
    uploads(&mut document);
    files(&mut document);
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            refusals(operation, path);
            describe_answers(operation);
            declare(operation);
            link(operation);
            if OPEN.contains(&path.as_str()) {
                operation["security"] = json!([]);
            } else {
                credentials(operation);
            }
        }
    }
    add_components(&mut document);
    name_values(&mut document);
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer" },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "powerfill",
            "description": "Of POST /api/powerfill/session; over TLS its name is \
                            __Host-powerfill. A change also needs the header X-CSRF-Token.",
        },
    });
    document
}

fn schemas(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let kinds: Vec<String> = ProblemKind::ALL
        .iter()
        .map(|kind| format!("urn:powerfill:problem:{}", kind.description().0))
        .collect();
    schemas["Problem"] = json!({
        "type": "object",
        "description": "RFC 9457. The members after request_id are those of some kinds.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "enum": kinds },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What happened, and what to do." },
            "request_id": { "type": "string" },
            "run_id": { "type": "string", "description": "The run that stands in the way." },
            "run_status": { "type": "string" },
            "step": { "type": "string", "description": "The step at which the run failed." },
            "code": { "type": "string", "description": "The code of the failure." },
            "message": { "type": "string", "description": "The message of the failure." },
            "token": {
                "type": "integer", "minimum": 0, "description": "The present token of the row.",
            },
            "head": {
                "type": "integer", "minimum": 0,
                "description": "The position of the last event.",
            },
            "faults": {
                "type": "array", "items": { "type": "object" },
                "description": "Each fault of the input.",
            },
        },
        "example": {
            "type": "urn:powerfill:problem:run-active",
            "title": "A run is active",
            "status": 409,
            "detail": format!("Run {RUN} is active; wait for it, or cancel it."),
            "run_id": RUN,
            "request_id": "01976c2e-1111-7b52-9f3e-5d0f6a1c2b34",
        },
    });
    let event = schemars::schema_for!(CloudEvent<'_>);
    schemas["CloudEvent"] = serde_json::to_value(event).unwrap_or_default();
    if let Some(event) = schemas["CloudEvent"].as_object_mut() {
        event.remove("$schema");
    }
    schemas["Options"] = run_options();
    schemas["EventPage"] = json!({
        "type": "object",
        "required": ["events", "next_after", "end"],
        "properties": {
            "events": { "type": "array", "items": { "$ref": "#/components/schemas/CloudEvent" } },
            "next_after": {
                "type": "integer", "minimum": 0, "description": "The `after` of the next page.",
            },
            "end": { "type": "boolean", "description": "Whether the log had no more events." },
        },
    });
}

/// Adds the schema of pages of events, whose text the handlers write.
fn event_pages(document: &mut Value) {
    for path in ["/api/powerfill/events", "/api/powerfill/runs/{run_id}/events"] {
        document["paths"][path]["get"]["responses"]["200"]["content"] = json!({
            "application/json": { "schema": { "$ref": "#/components/schemas/EventPage" } }
        });
    }
}

/// Adds the schema of the form with the files of an export.
fn uploads(document: &mut Value) {
    document["components"]["schemas"]["ExportUpload"] = json!({
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array", "minItems": 1, "maxItems": 100,
                "items": { "type": "string", "format": "binary" },
                "description": "Text files of one table each, or workbooks.",
            },
            "mapping": {
                "type": "string",
                "description": "The text of a mapping file. Absent: names of tables and columns are \
                                those of the run.",
            },
            "classifications": {
                "type": "string",
                "description": "The text of a file of classifications. Absent: none.",
            },
            "explain": {
                "type": "integer", "minimum": 0, "maximum": 10_000, "default": 1_000,
                "description": "The most loans with another decision to explain.",
            },
            "rows": {
                "type": "integer", "minimum": 0,
                "description": "The most differing rows of each table in the result. Absent: all.",
            },
        },
    });
    for operation in ["export-comparisons", "export-mapping"] {
        let path = format!("/api/powerfill/runs/{{run_id}}/{operation}");
        let schema = json!({ "$ref": "#/components/schemas/ExportUpload" });
        document["paths"][path]["post"]["requestBody"] = json!({
            "required": true,
            "content": { "multipart/form-data": { "schema": schema } },
        });
    }
}

/// Says that files are no JSON.
fn files(document: &mut Value) {
    for path in ["/api/powerfill/runs/{run_id}/evidence", "/api/powerfill/runs/{run_id}/workbook"] {
        let contents = &mut document["paths"][path]["get"]["responses"]["200"]["content"];
        for content in contents.as_object_mut().into_iter().flat_map(Map::values_mut) {
            content["schema"] = json!({ "type": "string", "format": "binary" });
        }
    }
}

/// Adds the problems that follow from the parameters of an operation. Other problems, such as
/// conflicts, the operation itself names by their status.
fn refusals(operation: &mut Value, path: &str) {
    let mut statuses: BTreeSet<u16> = match path {
        "/healthz" => BTreeSet::new(),
        "/readyz" => [503].into(),
        "/api/powerfill/session" => [403, 429, 500].into(),
        _ => [400, 401, 403, 429, 500, 503].into(),
    };
    if path.contains('{') {
        statuses.insert(404);
    }
    if operation["requestBody"].is_object() {
        statuses.extend([408, 413, 415, 422]);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    let own = responses.keys().filter_map(|status| status.parse::<u16>().ok());
    statuses.extend(own.filter(|status| *status >= 400));
    responses.extend(statuses.into_iter().map(|status| (status.to_string(), problem(status))));
}

/// Describes the answers that have no description by the summary of the operation: OpenAPI requires
/// one, and `utoipa` leaves it empty.
fn describe_answers(operation: &mut Value) {
    let summary = operation["summary"].clone();
    let answers = operation["responses"].as_object_mut();
    for answer in answers.into_iter().flat_map(Map::values_mut) {
        if answer["description"].as_str().is_none_or(str::is_empty) {
            answer["description"] = summary.clone();
        }
    }
}

/// The kinds of problems with this status.
fn problem(status: u16) -> Value {
    let kinds = ProblemKind::ALL.iter().map(|kind| kind.description());
    let titles: Vec<String> = kinds
        .filter(|(_, of, _)| of.as_u16() == status)
        .map(|(name, _, title)| format!("{name}: {title}"))
        .collect();
    json!({
        "description": titles.join("; "),
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    })
}

/// Adds the token and the tenant that an operation needs.
fn credentials(operation: &mut Value) {
    // The lowest role; higher ones suffice too.
    if operation["security"].is_null() {
        operation["security"] = json!([{ "token": ["viewer"] }]);
    }
    if let Some(security) = operation["security"].as_array_mut() {
        security.push(json!({ "session": [] }));
    }
    let tenant = json!({
        "name": "X-Tenant-Id", "in": "header", "required": true,
        "description": "The tenant, to which the token must belong. A GET that can send no header has \
                        it as the query parameter x-tenant-id",
        "schema": { "type": "string" },
    });
    add_parameter(operation, tenant);
}

/// The operation of a report, from the columns of its table.
fn operation(report: &Report) -> Value {
    let query = |name: &str, schema: Value, description: &str| {
        json!({
            "name": name, "in": "query", "required": false,
            "schema": schema, "description": description,
        })
    };
    let columns = report.table.columns;
    let sorts: Vec<String> = columns
        .iter()
        .flat_map(|column| [column.name.to_owned(), format!("-{}", column.name)])
        .collect();
    let limit =
        json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT });
    let format = json!({ "type": "string", "enum": ["json", "csv", "xlsx"], "default": "json" });
    let mut parameters = vec![
        json!({
            "name": "run_id", "in": "path", "required": true, "description": "The run",
            "schema": { "type": "string", "format": "uuid" },
        }),
        query("limit", limit, "Rows on the page"),
        query(
            "cursor",
            json!({ "type": "string", "minLength": 1 }),
            "`next` of the previous page, or its X-Next-Cursor",
        ),
        query(
            "offset",
            json!({ "type": "integer", "minimum": 0, "default": 0 }),
            "Rows before the page, in place of a cursor. Refused (422) for a table that is too large \
             to be kept in memory, with a filter or a sort; its answers have no X-Total-Count then",
        ),
        query(
            "sort",
            json!({ "type": "string", "enum": sorts }),
            "A column; after a minus, the largest values come first. NULL is the smallest value",
        ),
        query(
            "format",
            format,
            "CSV has run_id as the first column, and the cursor of the next page in X-Next-Cursor. \
             `Accept: text/csv` does the same. XLSX is a workbook with all rows, at most 300000",
        ),
    ];
    parameters.push(query(
        "whole",
        json!({ "type": "boolean", "default": false }),
        "true: all rows as one CSV, without limit, cursor, and offset; of a workbook always",
    ));
    parameters.extend(columns.iter().flat_map(|column| filters(column).into_iter()));
    let header =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "tags": ["reports"],
        "operationId": format!("report_{}", report.spec.name.replace('-', "_")),
        "summary": format!("Report: {}", report.spec.about),
        "description": format!(
            "Rows of `{}`, in its order without `sort`. Only a Complete run has reports. Any other \
             run is a 409 with its status, and a failed run also with its step and message.",
            report.table.name
        ),
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "A page",
                "headers": {
                    "X-Next-Cursor": header("The cursor of the next page, if there is one"),
                },
                "content": {
                    "application/json": { "schema": page(report.spec.name, report.table) },
                    "text/csv": { "schema": { "type": "string" } },
                    XLSX: { "schema": { "type": "string", "format": "binary" } },
                },
            },
            "304": { "description": "The page has not changed since If-None-Match" },
            "409": {},
        },
    })
}

/// A page of a report.
fn page(name: &str, table: &TableSpec) -> Value {
    let property = |column: &Column| (column.name.to_owned(), cell_schema(column));
    let properties: Map<String, Value> = table.columns.iter().map(property).collect();
    let required: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    json!({
        "type": "object",
        "required": ["run_id", "report", "table", "rows", "next"],
        "properties": {
            "run_id": { "type": "string", "format": "uuid" },
            "report": { "const": name },
            "table": { "const": table.name },
            "rows": {
                "type": "array",
                "items": { "type": "object", "required": required, "properties": properties },
            },
            "next": { "type": ["string", "null"], "description": "The cursor of the next page" },
        },
    })
}

/// The filters by a column.
fn filters(column: &Column) -> Vec<Value> {
    let filter = |ending: &str, description: &str| {
        json!({
            "name": format!("{}{ending}", column.name), "in": "query", "required": false,
            "schema": filter_schema(column), "description": description,
        })
    };
    let is = "Only rows with this value: empty for NULL, several times for any of the values";
    let mut filters = vec![filter("", is)];
    if !matches!(column.cell_type, CellType::Text | CellType::Json) {
        filters.push(filter(".ge", "Only rows with this value or a larger one"));
        filters.push(filter(".le", "Only rows with this value or a smaller one"));
    }
    filters
}

/// The values of a filter; empty is NULL.
fn filter_schema(column: &Column) -> Value {
    let pattern = match column.cell_type {
        CellType::Int => "^(-?[0-9]{1,18})?$",
        CellType::Decimal(_) => r"^(-?[0-9]{1,15}(\.[0-9]{1,8})?)?$",
        CellType::Day => "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$",
        CellType::Text | CellType::Json | CellType::Timestamp => {
            return json!({ "type": "string" });
        }
    };
    json!({ "type": "string", "pattern": pattern })
}

fn cell_schema(column: &Column) -> Value {
    match column.cell_type {
        CellType::Text => json!({ "type": ["string", "null"] }),
        CellType::Int => json!({ "type": ["integer", "null"] }),
        CellType::Decimal(places) => json!({
            "type": ["string", "null"], "description": format!("A decimal with {places} places"),
        }),
        CellType::Day => json!({ "type": ["string", "null"], "format": "date" }),
        CellType::Timestamp => json!({ "type": ["string", "null"], "format": "date-time" }),
        CellType::Json => json!({}),
    }
}
