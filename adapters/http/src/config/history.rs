//! The whole configuration, as it is or as it was, and every change of it.

use axum::Json;
use powerfill_app::configure::{ConfigAsOf, ConfigRecord, read_config_history, read_configuration};
use powerfill_events::input::RowCells;
use powerfill_events::values::Timestamp;
use powerfill_snapshot::config::{ConfigTable, RowChange};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::caller::Viewer;
use crate::extract::Query;
use crate::position::{Position, page_size};
use crate::problem::{Answer, Problem};

/// The most changes on a page.
const MOST: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOfAsked {
    /// As it was after so many changes.
    #[param(value_type = Option<u64>)]
    version: Option<Position>,
    /// As it was at a moment, RFC 3339 in UTC.
    #[param(format = DateTime)]
    at: Option<String>,
}

/// A configuration.
#[derive(Serialize, ToSchema)]
pub(crate) struct Configuration {
    /// How many changes it comes from.
    version: u64,
    /// The six tables by their names; rows with the columns of the table as text, null for NULL.
    #[schema(value_type = Object)]
    tables: Map<String, Value>,
}

fn row(cells: RowCells) -> Value {
    let cell = |text: String| if text.is_empty() { Value::Null } else { text.into() };
    let cells = cells.into_iter().map(|(column, text)| (column.to_owned(), cell(text)));
    Value::Object(cells.collect())
}

/// The configuration that the tenant manages, whole; as of any version or moment.
#[utoipa::path(get, operation_id = "configuration",
    path = "/api/powerfill/configuration", tag = "configuration", params(AsOfAsked),
    responses((status = 200, body = Configuration), (status = 404)))]
pub(crate) async fn show(
    Viewer(caller): Viewer,
    Query(asked): Query<AsOfAsked>,
) -> Answer<Json<Configuration>> {
    let as_of = match (asked.version, asked.at) {
        (None, None) => ConfigAsOf::Now,
        (Some(Position(version)), None) => ConfigAsOf::Version(version),
        (None, Some(at)) => {
            let wrong = || Problem::bad("at is a moment such as 2026-01-15T10:00:00Z.");
            ConfigAsOf::Moment(Timestamp::try_from(at).map_err(|_| wrong())?)
        }
        (Some(_), Some(_)) => return Err(Problem::bad("Of version and at there may be one.")),
    };
    let store = caller.store().await?;
    let state = read_configuration(store.as_ref(), as_of).await?;
    let table = |table: ConfigTable| {
        let rows = state.rows(table).into_iter().map(|(cells, _)| row(cells)).collect();
        (table.name().to_owned(), Value::Array(rows))
    };
    let tables = ConfigTable::ALL.map(table).into_iter().collect();
    Ok(Json(Configuration { version: state.version(), tables }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesAsked {
    /// Only changes after this version: `next` of the page before.
    #[serde(default)]
    #[param(default = 0, value_type = u64)]
    after: Position,
    /// Changes on the page, 1 to 1000; 100 where it is left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A change.
#[derive(Serialize, ToSchema)]
pub(crate) struct Change {
    /// The version of the configuration that it led to.
    version: u64,
    /// When.
    recorded_at: String,
    /// Who.
    actor: String,
    /// Why, where it was said.
    reason: Option<String>,
    /// What came of one command has one of these.
    command_id: Option<Uuid>,
    /// The event.
    event: &'static str,
    rows: Vec<ChangedRow>,
}

/// A row that was changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedRow {
    table: &'static str,
    /// The parts of its key, joined by a vertical bar.
    key: String,
    /// As it was; null where it was not there.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// As it is; null where it is gone.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

impl From<RowChange> for ChangedRow {
    fn from(change: RowChange) -> Self {
        Self {
            table: change.table.name(),
            key: change.key.to_string(),
            before: change.before.map(row),
            after: change.after.map(row),
        }
    }
}

impl From<ConfigRecord> for Change {
    fn from(record: ConfigRecord) -> Self {
        Self {
            version: record.version,
            recorded_at: record.recorded_at.to_string(),
            actor: record.actor,
            reason: record.event.reason().map(str::to_owned),
            command_id: record.command_id,
            event: record.event.event_type().name(),
            rows: RowChange::of_event(&record.event).into_iter().map(ChangedRow::from).collect(),
        }
    }
}

/// A page of changes, the first ones first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Changes {
    changes: Vec<Change>,
    /// The `after` of the next page; null on the last one.
    next: Option<u64>,
}

/// Every change of the configuration: who, when, why, and the rows before and after.
#[utoipa::path(get, operation_id = "configuration_history",
    path = "/api/powerfill/configuration/history", tag = "configuration",
    params(ChangesAsked), responses((status = 200, body = Changes)))]
pub(crate) async fn changes(
    Viewer(caller): Viewer,
    Query(asked): Query<ChangesAsked>,
) -> Answer<Json<Changes>> {
    let size = page_size(asked.limit, 100, MOST)?;
    let store = caller.store().await?;
    let mut records = read_config_history(store.as_ref()).await?;
    records.retain(|record| record.version > asked.after.0);
    let is_last = records.len() <= size;
    records.truncate(size);
    let next = records.last().filter(|_| !is_last).map(|record| record.version);
    Ok(Json(Changes { changes: records.into_iter().map(Change::from).collect(), next }))
}
