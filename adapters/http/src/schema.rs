//! JSON schemas of declared columns (specification 1.2, 1.3): rows of the configuration, and the
//! options of a run.

use powerfill_events::input::{Bounds, InputColumn, InputRow, InputType, Presence};
use powerfill_events::run::options::RunOptions;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

/// Where a column is written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// In an answer, which needs no bounds.
    Answer,
    /// In a request. An empty text is NULL.
    Request,
    /// As an option of a run, which may always be absent or null.
    RunOption,
}

/// The type of a column in JSON. Decimals are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonType {
    Integer,
    Boolean,
    Text,
}

/// The type of a column in JSON.
pub(crate) fn json_type(column: &InputColumn) -> JsonType {
    match column.input_type {
        InputType::Whole => JsonType::Integer,
        InputType::OneOf(["Y", "N"]) => JsonType::Boolean,
        _ => JsonType::Text,
    }
}

/// Whether a column can be null in JSON. An absent level of the constraint tree is an empty text.
pub(crate) const fn is_nullable(column: &InputColumn) -> bool {
    matches!(column.presence, Presence::Nullable | Presence::Default(_))
}

/// The schema of an object with these columns.
pub(crate) fn object(description: &str, columns: &[InputColumn], usage: Usage) -> Value {
    let properties: Map<String, Value> =
        columns.iter().map(|column| (column.name.to_owned(), property(column, usage))).collect();
    let mut schema =
        json!({ "type": "object", "description": description, "properties": properties });
    let is_required = |column: &&InputColumn| match column.presence {
        Presence::Required => usage != Usage::RunOption,
        Presence::EmptyText => usage == Usage::Answer,
        Presence::Nullable | Presence::Default(_) => false,
    };
    let required: Vec<&str> = columns.iter().filter(is_required).map(|c| c.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if usage == Usage::Request {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

/// The schema of a column.
pub(crate) fn property(column: &InputColumn, usage: Usage) -> Value {
    let mut types = Vec::new();
    let mut schema = json!({ "description": column.description });
    let is_option = usage == Usage::RunOption;
    match json_type(column) {
        JsonType::Boolean => types.push("boolean"),
        JsonType::Integer => {
            types.push("integer");
            schema["format"] = json!(if is_option { "int32" } else { "int64" });
        }
        JsonType::Text => types.push("string"),
    }
    if usage != Usage::Answer {
        restrict(&mut schema, column, usage, &mut types);
    }
    if is_option || is_nullable(column) {
        types.push("null");
    }
    schema["type"] = match types[..] {
        [one] => json!(one),
        _ => json!(types),
    };
    schema
}

/// Adds the values that a request can have.
fn restrict(schema: &mut Value, column: &InputColumn, usage: Usage, types: &mut Vec<&str>) {
    let is_option = usage == Usage::RunOption;
    match column.input_type {
        InputType::Whole => limit(schema, column.bounds, i64::MAX),
        InputType::Decimal { scale, bound, .. } => {
            schema["pattern"] = json!(decimal_pattern(scale, bound, column.bounds, usage));
            if is_option {
                types.push("integer");
                limit(schema, column.bounds, bound - 1);
            }
        }
        InputType::Day => {
            schema["format"] = json!("date");
            schema["pattern"] = json!("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
        }
        InputType::OneOf(words) if json_type(column) == JsonType::Text => {
            schema["pattern"] = json!(format!("^({})$", words.join("|")));
        }
        InputType::Text | InputType::Rule
            if is_option || matches!(column.presence, Presence::Required) =>
        {
            schema["minLength"] = json!(1);
        }
        _ => {}
    }
}

/// The range of a number. `most` is the largest magnitude that its type has.
fn limit(schema: &mut Value, bounds: Bounds, most: i64) {
    let (low, high) = match bounds {
        Bounds::Any => (-most, most),
        Bounds::Above(low) | Bounds::AtLeast(low) => (low, most),
        Bounds::Within(low, high) => (low, high),
    };
    if low > -i64::MAX {
        schema["minimum"] = json!(low);
    }
    if high < i64::MAX {
        schema["maximum"] = json!(high);
    }
}

fn decimal_pattern(scale: u32, bound: i64, bounds: Bounds, usage: Usage) -> String {
    let digits = |below: i64| format!("[0-9]{{1,{}}}", (below - 1).to_string().len());
    let fraction = format!("(\\.[0-9]{{1,{scale}}})?");
    let number = match bounds {
        Bounds::Within(0, 1) => format!("0{fraction}|1(\\.0{{1,{scale}}})?"),
        Bounds::Within(0, high) => format!("({}{fraction}|{high})", digits(high)),
        Bounds::Above(0..) | Bounds::AtLeast(0..) => format!("{}{fraction}", digits(bound)),
        _ => format!("-?{}{fraction}", digits(bound)),
    };
    match usage {
        Usage::RunOption => format!("^{number}$"),
        Usage::Answer | Usage::Request => format!("^({number})?$"),
    }
}

/// The schema of the options of a run.
pub(crate) fn run_options() -> Value {
    let description = "Options of a run (specification 1.3). An absent option has its default; \
                       decimals are strings.";
    object(description, RunOptions::TABLE.columns, Usage::RunOption)
}

/// Names a schema that [`crate::document`] writes from a declaration. The routes refer to it.
macro_rules! declared_schemas {
    ($($name:ident)*) => {$(
        pub(crate) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::default()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

declared_schemas! { Options ConstraintAdded CarryBucketNamed PoolLockNamed }
