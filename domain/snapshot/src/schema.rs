//! The input tables for people and programs (specification 1.2): as JSON Schema, with rows as
//! objects and decimals as strings, and as a page of Markdown.

use std::fmt::Write as _;

use powerfill_events::input::{
    Bounds, InputColumn, InputReference, InputRow, InputTable, InputType, Presence, RowCount,
};
use serde_json::{Map, Value, json};

use crate::tables::{Loan, TABLES};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one table: an array of rows.
pub fn table_schema(table: &InputTable) -> Value {
    let mut schema = json!({ "$schema": DRAFT });
    merge(&mut schema, array_of(table));
    schema
}

/// The schema of a snapshot: an object with an array of rows per table.
pub fn snapshot_schema() -> Value {
    let tables: Map<String, Value> =
        TABLES.iter().map(|table| (table.name.to_owned(), array_of(table))).collect();
    let required: Vec<&str> =
        TABLES.iter().filter(|table| table.is_required).map(|table| table.name).collect();
    json!({
        "$schema": DRAFT,
        "title": "snapshot",
        "description": "The input of a run: one tenant's tables at one moment.",
        "type": "object",
        "properties": tables,
        "required": required,
        "additionalProperties": false,
    })
}

fn merge(schema: &mut Value, other: Value) {
    if let (Value::Object(schema), Value::Object(other)) = (schema, other) {
        schema.extend(other);
    }
}

fn array_of(table: &InputTable) -> Value {
    let columns: Map<String, Value> =
        table.columns.iter().map(|column| (column.name.to_owned(), of_column(column))).collect();
    let must_be_there =
        |column: &&InputColumn| matches!(column.presence, Presence::Required | Presence::EmptyText);
    let required: Vec<&str> =
        table.columns.iter().filter(must_be_there).map(|column| column.name).collect();
    let mut row = json!({ "type": "object", "properties": columns, "required": required });
    // Additional columns of `loan` are attributes, which rules can use.
    row["additionalProperties"] = match table.name == Loan::TABLE.name {
        true => json!({ "type": ["string", "null"] }),
        false => json!(false),
    };
    let mut schema = json!({
        "title": table.name,
        "description": one_line(table.description),
        "type": "array",
        "items": row,
    });
    match table.rows {
        RowCount::Any => schema["x-key"] = json!(table.key),
        RowCount::AtMostOne => schema["maxItems"] = json!(1),
        RowCount::ExactlyOne => {
            schema["minItems"] = json!(1);
            schema["maxItems"] = json!(1);
        }
    }
    if !table.references.is_empty() {
        let reference = |one: &InputReference| {
            let (columns, table) = (one.columns, one.table);
            json!({ "columns": columns, "table": table })
        };
        schema["x-references"] = table.references.iter().map(reference).collect();
    }
    schema
}

fn of_column(column: &InputColumn) -> Value {
    let mut schema = json!({ "description": one_line(column.description) });
    let mut kind = vec!["string"];
    match column.input_type {
        InputType::Text | InputType::Rule => {
            if matches!(column.presence, Presence::Required) {
                schema["minLength"] = json!(1);
            }
        }
        InputType::Day => schema["format"] = json!("date"),
        InputType::Decimal { scale, .. } => {
            schema["pattern"] = json!(format!("^[+-]?[0-9]*(\\.[0-9]{{0,{scale}}}0*)?$"));
        }
        InputType::Number => schema["pattern"] = json!("^[+-]?[0-9]*(\\.[0-9]*)?$"),
        InputType::Whole => {
            kind = vec!["integer"];
            match column.bounds {
                Bounds::Above(low) => schema["exclusiveMinimum"] = json!(low),
                Bounds::AtLeast(low) => schema["minimum"] = json!(low),
                Bounds::Within(low, high) => {
                    schema["minimum"] = json!(low);
                    schema["maximum"] = json!(high);
                }
                Bounds::Any => {}
            }
        }
        InputType::OneOf(words) => {
            let null = if column.may_be_empty() { vec![Value::Null] } else { Vec::new() };
            schema["enum"] = words.iter().map(|word| json!(word)).chain(null).collect();
        }
    }
    if column.may_be_empty() {
        kind.push("null");
    }
    schema["type"] = if kind.len() == 1 { json!(kind[0]) } else { json!(kind) };
    let value = |text: &str| match column.input_type {
        InputType::Whole => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
        _ => json!(text),
    };
    if let Presence::Default(text) = column.presence {
        schema["default"] = value(&text());
    }
    let is_bounded = matches!(column.input_type, InputType::Decimal { .. });
    if is_bounded && !matches!(column.bounds, Bounds::Any) {
        schema["x-range"] = json!(column.allowed());
    }
    if !column.measure.unit().is_empty() {
        schema["x-unit"] = json!(column.measure.unit());
    }
    if let Some((low, high)) = column.plausible {
        schema["x-plausible"] = json!([low, high]);
    }
    if !column.example.is_empty() {
        schema["examples"] = json!([value(column.example)]);
    }
    schema
}

/// The tables and their columns as a page of Markdown, for the folder of a template.
pub fn columns_page() -> String {
    let mut page = "# Columns\n\nDates are YYYY-MM-DD. Numbers have a point and no other sign: \
                    300000.00, 6.5. An empty cell is NULL.\n"
        .to_owned();
    for table in TABLES {
        write_table(&mut page, table);
    }
    page
}

fn write_table(page: &mut String, table: &InputTable) {
    let required = if table.is_required { "Required." } else { "May be absent." };
    let rows = match table.rows {
        RowCount::Any => format!("Key: {}.", table.key.join(", ")),
        RowCount::AtMostOne => "At most one row.".to_owned(),
        RowCount::ExactlyOne => "One row.".to_owned(),
    };
    let _ = write!(
        page,
        "\n## {}\n\n{} {required} {rows}\n\n\
         | column | type | empty | example | |\n|---|---|---|---|---|\n",
        table.name,
        one_line(table.description),
    );
    for column in table.columns {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            column.name,
            column.type_in_words().replace('|', "/"),
            column.empty_in_words(),
            column.sample(),
            one_line(column.description),
        );
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
