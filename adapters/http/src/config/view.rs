//! Rows and lists of the configuration in answers.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use powerfill_events::input::RowCells;
use powerfill_events::values::Name;
use powerfill_snapshot::config::{
    CarryBucketRow, CarryWarning, ConfigRejection, ConfigState, ConfigTable, RowKey, carry_warnings,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use utoipa::ToSchema;

use crate::problem::{ApiResult, Problem};
use crate::schema::{JsonType, is_nullable, json_type};

/// A warning about a carry curve. It never refuses a change.
#[derive(serde::Serialize, ToSchema)]
#[schema(as = CarryWarning)]
pub(crate) struct CurveWarning {
    /// overlap or not_monotone.
    code: &'static str,
    message: String,
}

/// The warnings about a curve.
pub(super) fn warnings(curve: &[&CarryBucketRow]) -> Vec<CurveWarning> {
    let warning = |warning: CarryWarning| CurveWarning {
        code: match warning {
            CarryWarning::Overlap { .. } => "overlap",
            CarryWarning::NotMonotone { .. } => "not_monotone",
        },
        message: warning.to_string(),
    };
    carry_warnings(curve.iter().copied()).into_iter().map(warning).collect()
}

/// The buckets of an instrument, whose name compares as text.
pub(super) fn curve<'a>(state: &'a ConfigState, instrument: &str) -> Vec<&'a CarryBucketRow> {
    let instrument = Name::new(instrument);
    let rows = state.carry().values().map(|held| &held.row);
    rows.filter(|row| Name::new(row.investor_instrument_name.as_str()) == instrument).collect()
}

/// A row with its token and what belongs to it.
struct RowView {
    table: ConfigTable,
    cells: RowCells,
    token: u64,
    /// The rules of a node, or the nodes of a rule.
    links: Option<(&'static str, Vec<String>)>,
    /// Only in an answer with one bucket.
    warnings: Option<Vec<CurveWarning>>,
}

impl RowView {
    fn new(state: &ConfigState, table: ConfigTable, (cells, token): (RowCells, u64)) -> Self {
        let text = |column: &&str| {
            cells.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text.as_str())
        };
        let key = RowKey::of(table, table.key_columns().iter().map(text));
        let links = match table {
            ConfigTable::Constraints => {
                let rules = state.rules_of(&key).map(|link| link.rule_name.to_string());
                Some(("rules", rules.collect()))
            }
            ConfigTable::Rules => {
                Some(("constraints", state.nodes_of(&key).map(|node| node.to_string()).collect()))
            }
            _ => None,
        };
        Self { table, cells, token, links, warnings: None }
    }
}

impl Serialize for RowView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let schema = self.table.schema();
        let mut map = serializer.serialize_map(None)?;
        for ((name, text), column) in self.cells.iter().zip(schema.columns) {
            match json_type(column) {
                _ if text.is_empty() && is_nullable(column) => map.serialize_entry(name, &())?,
                // The text of a whole number is a number of JSON.
                JsonType::Integer => map.serialize_entry(name, &text.parse::<i64>().ok())?,
                JsonType::Boolean => map.serialize_entry(name, &(text == "Y"))?,
                JsonType::Text => map.serialize_entry(name, text)?,
            }
        }
        if let Some((name, links)) = &self.links {
            map.serialize_entry(name, links)?;
        }
        if !schema.key.is_empty() {
            map.serialize_entry("token", &self.token)?;
        }
        if let Some(warnings) = &self.warnings {
            map.serialize_entry("warnings", warnings)?;
        }
        map.end()
    }
}

/// The rows of a table, with the token of the table as ETag.
pub(super) fn list_answer(state: &ConfigState, table: ConfigTable) -> Response {
    #[derive(serde::Serialize)]
    struct List {
        rows: Vec<RowView>,
        token: u64,
    }
    let rows = state.rows(table).into_iter().map(|row| RowView::new(state, table, row)).collect();
    let token = state.token(table);
    let tag = etag(&[token, linked(state, table)]);
    ([tag, private()], Json(List { rows, token })).into_response()
}

/// A row with its token as ETag.
///
/// # Errors
/// If there is no such row.
pub(super) fn row_answer(
    state: &ConfigState,
    table: ConfigTable,
    key: &RowKey,
    status: StatusCode,
) -> ApiResult<Response> {
    let row = state.row(table, key).ok_or_else(|| missing_row(table, key))?;
    let mut view = RowView::new(state, table, row);
    view.warnings = state
        .carry()
        .get(key)
        .filter(|_| table == ConfigTable::Carry)
        .map(|held| warnings(&curve(state, held.row.investor_instrument_name.as_str())));
    let tag = etag(&[view.token, linked(state, table)]);
    Ok((status, [tag, private()], Json(view)).into_response())
}

/// Only its caller may keep an answer, and must ask whether it has changed.
fn private() -> (HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))
}

/// The token of what an answer has besides rows of its table: links, and the curve of a bucket.
fn linked(state: &ConfigState, table: ConfigTable) -> u64 {
    match table {
        ConfigTable::Constraints | ConfigTable::Rules => state.token(ConfigTable::Links),
        ConfigTable::Carry => state.token(ConfigTable::Carry),
        _ => 0,
    }
}

/// The ETag of an answer: the token of its row or table, and a later token of what else it has.
pub(super) fn etag(tokens: &[u64]) -> (HeaderName, HeaderValue) {
    let text = match tokens {
        [token, other, ..] if other > token => format!("\"{token}-{other}\""),
        [token, ..] => format!("\"{token}\""),
        [] => "\"\"".to_owned(),
    };
    let value = HeaderValue::from_str(&text);
    (header::ETAG, value.expect("digits in quotes are the value of a header"))
}

/// There is no such row.
pub(super) fn missing_row(table: ConfigTable, key: &RowKey) -> Problem {
    ConfigRejection::NotThere { table, key: key.clone() }.into()
}
