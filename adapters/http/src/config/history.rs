//! The whole configuration as of any version, and every change.

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use powerfill_app::configure::{ConfigAsOf, ConfigRecord, read_config_history, read_configuration};
use powerfill_events::input::RowCells;
use powerfill_events::values::Timestamp;
use powerfill_snapshot::config::{ConfigTable, RowChange};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::view::etag;
use crate::accepted::unless_known;
use crate::answer::answer_object;
use crate::caller::Viewer;
use crate::extract::Query;
use crate::paging::page_headers;
use crate::position::{Position, page_size};
use crate::problem::{ApiResult, Problem};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOfQuery {
    /// The configuration after this number of changes.
    #[param(value_type = Option<u64>)]
    version: Option<Position>,
    /// The configuration at this time, RFC 3339 in UTC.
    #[param(format = DateTime)]
    at: Option<String>,
}

/// A configuration.
#[derive(Serialize, ToSchema)]
pub(crate) struct WholeConfiguration {
    /// The number of changes that it results from.
    version: u64,
    /// The six tables by name. Rows have the columns of the table as text, and null for NULL.
    #[schema(value_type = Object)]
    tables: Map<String, Value>,
}

fn row(cells: RowCells) -> Value {
    let cell = |text: String| if text.is_empty() { Value::Null } else { text.into() };
    let cells = cells.into_iter().map(|(column, text)| (column.to_owned(), cell(text)));
    Value::Object(cells.collect())
}

/// The whole configuration that the tenant manages, as of any version or time.
#[utoipa::path(get, operation_id = "configuration",
    path = "/api/powerfill/configuration", tag = "configuration", params(AsOfQuery),
    responses((status = 200, body = WholeConfiguration,
            headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "It has not changed since If-None-Match"),
        (status = 404)))]
pub(crate) async fn show(
    Viewer { caller, .. }: Viewer,
    headers: HeaderMap,
    Query(query): Query<AsOfQuery>,
) -> ApiResult<Response> {
    let as_of = match (query.version, query.at) {
        (None, None) => ConfigAsOf::Now,
        (Some(Position(version)), None) => ConfigAsOf::Version(version),
        (None, Some(at)) => {
            let wrong = || Problem::bad("at is a time such as 2026-01-15T10:00:00Z.");
            ConfigAsOf::Moment(Timestamp::try_from(at).map_err(|_| wrong())?)
        }
        (Some(_), Some(_)) => return Err(Problem::bad("Send version or at, not both.")),
    };
    let store = caller.store().await?;
    let state = read_configuration(store.as_ref(), as_of).await?;
    let table = |table: ConfigTable| {
        let rows = state.rows(table).into_iter().map(|(cells, _)| row(cells)).collect();
        (table.name().to_owned(), Value::Array(rows))
    };
    let tables = ConfigTable::ALL.map(table).into_iter().collect();
    let version = state.version();
    let answer = ([etag(&[version])], Json(WholeConfiguration { version, tables }));
    Ok(unless_known(&headers, answer.into_response()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// Only changes after this version: `next` of the previous page.
    #[serde(default)]
    #[param(default = 0, value_type = u64)]
    after: Position,
    /// Changes on the page, 1 to 1000. Absent: 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

answer_object! {
    /// A change of the configuration.
    #[schema(as = Change)]
    RecordedChange(record: ConfigRecord) {
        /// The version of the configuration after it.
        version: u64 = record.version,
        /// The time of the change.
        recorded_at: String = record.recorded_at.to_string(),
        /// Who made it.
        actor: String = record.actor,
        /// The reason, if there is one.
        reason: Option<String> = record.event.reason().map(str::to_owned),
        /// The id of the command. All changes of a command have the same id.
        command_id: Option<Uuid> = record.command_id,
        /// The type of the event.
        event: &'static str = record.event.event_type().name(),
        rows: Vec<ChangedRow> =
            RowChange::of_event(&record.event).into_iter().map(ChangedRow::from).collect(),
    }
}

answer_object! {
    /// A row before and after a change.
    ChangedRow(change: RowChange) {
        table: &'static str = change.table.name(),
        /// The parts of its key, joined by a vertical bar.
        key: String = change.key.to_string(),
        /// The row before; null if there was none.
        #[schema(value_type = Option<Object>)]
        before: Option<Value> = change.before.map(row),
        /// The row after; null if it was removed.
        #[schema(value_type = Option<Object>)]
        after: Option<Value> = change.after.map(row),
    }
}

/// A page of changes, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Changes)]
pub(crate) struct ChangesPage {
    changes: Vec<RecordedChange>,
    /// The `after` of the next page; null on the last one.
    next: Option<u64>,
}

/// Every change of the configuration: actor, time, reason, and the rows before and after.
#[utoipa::path(get, operation_id = "configuration_history",
    path = "/api/powerfill/configuration/history", tag = "configuration",
    params(ChangesQuery), responses((status = 200, body = ChangesPage)))]
pub(crate) async fn changes(
    Viewer { caller, .. }: Viewer,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ChangesQuery>,
) -> ApiResult<(HeaderMap, Json<ChangesPage>)> {
    let size = page_size(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let store = caller.store().await?;
    let mut records = read_config_history(store.as_ref()).await?;
    let total = records.len() as u64;
    records.retain(|record| record.version > query.after.0);
    let is_last = records.len() <= size;
    records.truncate(size);
    let next = records.last().filter(|_| !is_last).map(|record| record.version);
    let next_text = next.map(|next| next.to_string());
    let headers = page_headers(&uri, "after", next_text.as_deref(), Some(total));
    let changes = records.into_iter().map(RecordedChange::from).collect();
    Ok((headers, Json(ChangesPage { changes, next })))
}
