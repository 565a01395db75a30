//! The settings of preflight (specification 1.2, 2.2).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use powerfill_snapshot::config::{ConfigState, ConfigTable, Precondition};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Why, answer, cells, change, current, given, precondition, written};
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::extract::{Body, Query};
use crate::problem::Answer;

/// The settings of preflight; whatever is left out of a change has its default.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreflightSettings)]
pub(crate) struct Settings {
    /// Fewest eligible loans; 1 by default.
    #[schema(minimum = 0)]
    min_pipeline_loans: Option<i64>,
    /// Days; 3 by default.
    #[schema(minimum = 0)]
    max_snapshot_age_days: Option<i64>,
    /// Days; 1 by default.
    #[schema(minimum = 0)]
    max_price_age_days: Option<i64>,
    /// Days; 2 by default.
    #[schema(minimum = 0)]
    lockdown_days: Option<i64>,
}

const TABLE: ConfigTable = ConfigTable::Preflight;

fn view(state: &ConfigState) -> (Settings, u64) {
    let row = state.preflight();
    let settings = Settings {
        min_pipeline_loans: Some(row.min_pipeline_loans),
        max_snapshot_age_days: Some(row.max_snapshot_age_days),
        max_price_age_days: Some(row.max_price_age_days),
        lockdown_days: Some(row.lockdown_days),
    };
    (settings, state.token(TABLE))
}

/// The settings of preflight.
#[utoipa::path(get, operation_id = "show_preflight_settings",
    path = "/api/powerfill/settings/preflight", tag = "configuration",
    responses((status = 200, body = Settings)))]
pub(crate) async fn show(Viewer(caller): Viewer) -> Answer<Response> {
    Ok(answer(true, view(&current(&caller).await?)))
}

/// Changes the settings of preflight: they are given whole.
#[utoipa::path(put, security(("token" = ["admin"])), operation_id = "put_preflight_settings",
    path = "/api/powerfill/settings/preflight", tag = "configuration",
    params(("If-Match" = Option<String>, Header), Why), request_body = Settings,
    responses((status = 200, body = Settings), (status = 412)))]
pub(crate) async fn put(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Query(why): Query<Why>,
    headers: HeaderMap,
    Body(body): Body<Settings>,
) -> Answer<Response> {
    let row = cells([
        ("min_pipeline_loans", given(body.min_pipeline_loans)),
        ("max_snapshot_age_days", given(body.max_snapshot_age_days)),
        ("max_price_age_days", given(body.max_price_age_days)),
        ("lockdown_days", given(body.lockdown_days)),
    ]);
    let what = written(TABLE, row, precondition(&headers, Precondition::Any)?);
    Ok(answer(true, view(&change(&caller, &api, what, why).await?)))
}
