//! The options of a run for a form: types, ranges, and defaults (specification 1.3).

use axum::Json;
use powerfill_events::input::{Bounds, InputColumn, InputRow, InputType, Presence};
use powerfill_snapshot::RunOptions;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::caller::Viewer;
use crate::input::resolve_options;
use crate::problem::{ApiResult, internal};
use crate::schema::{JsonType, json_type};

/// An option of a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct OptionView {
    name: &'static str,
    /// `bool`, `int`, `decimal`, `date`, `one_of`, or `text`.
    kind: &'static str,
    /// The words of `one_of`.
    choices: Vec<&'static str>,
    /// The default of the program. A decimal is a text.
    default: Value,
    /// What a run of this tenant has without options of its own.
    tenant_value: Value,
    /// Whether null is a value.
    nullable: bool,
    /// The smallest value, if there is one.
    min: Option<i64>,
    /// The largest value, if there is one.
    max: Option<i64>,
    /// The most decimals of a decimal.
    scale: Option<u32>,
    /// What the option does, with its unit.
    help: &'static str,
    /// The values, in words.
    allowed: String,
}

/// The options of a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct OptionList {
    /// In the order of the specification.
    options: Vec<OptionView>,
}

/// The options of a run: what each does, its values, its default, and the value that the tenant
/// has set.
#[utoipa::path(get, operation_id = "options", path = "/api/powerfill/options", tag = "runs",
    responses((status = 200, body = OptionList), (status = 422)))]
pub(crate) async fn list(Viewer { caller, .. }: Viewer) -> ApiResult<Json<OptionList>> {
    let values =
        |options: &RunOptions| serde_json::to_value(options).map_err(|error| internal(&error));
    let default = values(&RunOptions::default())?;
    let tenant = values(&resolve_options(None, caller.tenant.as_ref())?)?;
    let columns = RunOptions::TABLE.columns.iter();
    let options = columns.map(|column| view(column, &default, &tenant)).collect();
    Ok(Json(OptionList { options }))
}

fn view(column: &InputColumn, default: &Value, tenant: &Value) -> OptionView {
    let (choices, scale) = match column.input_type {
        InputType::OneOf(words) => (words.to_vec(), None),
        InputType::Decimal { scale, .. } => (Vec::new(), Some(scale)),
        _ => (Vec::new(), None),
    };
    let kind = match (json_type(column), column.input_type) {
        (JsonType::Boolean, _) => "bool",
        (JsonType::Integer, _) => "int",
        (_, InputType::Decimal { .. } | InputType::Number) => "decimal",
        (_, InputType::Day) => "date",
        (_, InputType::OneOf(_)) => "one_of",
        (_, InputType::Text | InputType::Rule | InputType::Whole) => "text",
    };
    let (min, max) = match column.bounds {
        Bounds::Any => (None, None),
        Bounds::Above(low) | Bounds::AtLeast(low) => (Some(low), None),
        Bounds::Within(low, high) => (Some(low), Some(high)),
    };
    OptionView {
        name: column.name,
        kind,
        choices,
        default: default[column.name].clone(),
        tenant_value: tenant[column.name].clone(),
        nullable: matches!(column.presence, Presence::Nullable),
        min,
        max,
        scale,
        help: column.description,
        allowed: column.allowed(),
    }
}
