//! The carry curve, bucket by bucket, and what it would cost.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use powerfill_app::configure::preview_change;
use powerfill_engine::{RateBucket, carry_of_days};
use powerfill_events::values::{Name, TenantId};
use powerfill_snapshot::config::{
    CarryBucketRow, CarryWarning, ConfigChange, ConfigCommand, ConfigState, ConfigTable, GivenRow,
    Held, LeftOut, Precondition, RowKey, carry_warnings,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Listed, Why, answer, cells, change, current, given, listed, not_there, precondition, written,
};
use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::extract::{Body, Path, Query};
use crate::problem::{Answer, Problem};

/// A bucket of the carry curve.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryBucket, example = json!({
    "investor_instrument_name": "FN30 5.5", "on_day": 0, "to_day": 14, "annual_rate": "1.250000", "token": 7
}))]
pub(crate) struct BucketView {
    investor_instrument_name: String,
    on_day: i64,
    /// The last day of it.
    to_day: i64,
    /// Points a year; null counts for nothing.
    annual_rate: Option<String>,
    /// The version at which the bucket last changed; its ETag.
    token: u64,
}

/// A bucket, and what is noticed about the curve of its instrument.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryBucketSet)]
pub(crate) struct BucketSet {
    #[serde(flatten)]
    bucket: BucketView,
    warnings: Vec<WarningView>,
}

/// Something about a curve that nothing forbids.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryWarning)]
pub(crate) struct WarningView {
    /// overlap or not_monotone.
    code: &'static str,
    message: String,
}

/// What a bucket is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarryBucketGiven)]
pub(crate) struct BucketBody {
    /// The last day of it; at or after the first.
    to_day: i64,
    #[schema(pattern = r"^(-?[0-9]{1,5}(\.[0-9]{1,6})?)?$")]
    annual_rate: Option<String>,
}

const TABLE: ConfigTable = ConfigTable::Carry;

/// The parts of a bucket's path.
type Bucket = (String, i64);

fn key((instrument, on_day): &Bucket) -> RowKey {
    RowKey::of(TABLE, [instrument.as_str(), &on_day.to_string()])
}

fn row(instrument: &str, on_day: i64, body: BucketBody) -> GivenRow {
    cells([
        ("investor_instrument_name", Some(instrument.to_owned())),
        ("on_day", given(Some(on_day))),
        ("to_day", given(Some(body.to_day))),
        ("annual_rate", body.annual_rate),
    ])
}

fn view(held: &Held<CarryBucketRow>) -> BucketView {
    let row = &held.row;
    BucketView {
        investor_instrument_name: row.investor_instrument_name.to_string(),
        on_day: row.on_day,
        to_day: row.to_day,
        annual_rate: given(row.annual_rate),
        token: held.token,
    }
}

/// The buckets of one instrument.
fn curve<'a>(state: &'a ConfigState, instrument: &str) -> Vec<&'a CarryBucketRow> {
    let wanted = Name::new(instrument);
    let rows = state.carry().values().map(|held| &held.row);
    rows.filter(|row| Name::new(row.investor_instrument_name.as_str()) == wanted).collect()
}

fn warnings(curve: &[&CarryBucketRow]) -> Vec<WarningView> {
    let told = carry_warnings(curve.iter().copied()).into_iter().map(|warning| WarningView {
        code: match warning {
            CarryWarning::Overlap { .. } => "overlap",
            CarryWarning::NotMonotone { .. } => "not_monotone",
        },
        message: warning.to_string(),
    });
    told.collect()
}

fn one(state: &ConfigState, bucket: &Bucket) -> Answer<(BucketSet, u64)> {
    let key = key(bucket);
    let held = state.carry().get(&key).ok_or_else(|| not_there(TABLE, &key))?;
    let warnings = warnings(&curve(state, &bucket.0));
    Ok((BucketSet { bucket: view(held), warnings }, held.token))
}

/// The carry curves.
#[utoipa::path(get, operation_id = "list_carry_costs",
    path = "/api/powerfill/carry-cost", tag = "configuration",
    responses((status = 200, body = Listed<BucketView>)))]
pub(crate) async fn list(Viewer(caller): Viewer) -> Answer<Response> {
    let state = current(&caller).await?;
    Ok(listed(&state, TABLE, state.carry().values().map(view).collect()))
}

/// A bucket, with what is noticed about its curve.
#[utoipa::path(get, operation_id = "show_carry_bucket",
    path = "/api/powerfill/carry-cost/{instrument}/{on_day}", tag = "configuration",
    params(("instrument" = String, Path), ("on_day" = i64, Path)),
    responses((status = 200, body = BucketSet)))]
pub(crate) async fn show(Viewer(caller): Viewer, Path(bucket): Path<Bucket>) -> Answer<Response> {
    Ok(answer(true, one(&current(&caller).await?, &bucket)?))
}

/// Sets a bucket. That it overlaps another one, or turns the curve, is a warning.
#[utoipa::path(put, security(("token" = ["admin"])), operation_id = "put_carry_bucket",
    path = "/api/powerfill/carry-cost/{instrument}/{on_day}", tag = "configuration",
    params(("instrument" = String, Path), ("on_day" = i64, Path), ("If-Match" = Option<String>, Header), Why),
    request_body = BucketBody,
    responses((status = 200, body = BucketSet, description = "It was there before"),
        (status = 201, body = BucketSet, description = "It is new"), (status = 412)))]
pub(crate) async fn put(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(bucket): Path<Bucket>,
    Query(why): Query<Why>,
    headers: HeaderMap,
    Body(body): Body<BucketBody>,
) -> Answer<Response> {
    let before = current(&caller).await?.carry().contains_key(&key(&bucket));
    let row = row(&bucket.0, bucket.1, body);
    let what = written(TABLE, row, precondition(&headers, Precondition::Any)?);
    Ok(answer(before, one(&change(&caller, &api, what, why).await?, &bucket)?))
}

/// Removes a bucket.
#[utoipa::path(delete, security(("token" = ["admin"])), operation_id = "remove_carry_bucket",
    path = "/api/powerfill/carry-cost/{instrument}/{on_day}", tag = "configuration",
    params(("instrument" = String, Path), ("on_day" = i64, Path), ("If-Match" = Option<String>, Header), Why),
    responses((status = 204, description = "It is gone"), (status = 412)))]
pub(crate) async fn remove(
    Admin(caller): Admin,
    State(api): State<Arc<Api>>,
    Path(bucket): Path<Bucket>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let precondition = precondition(&headers, Precondition::Present)?;
    let what = ConfigChange::Remove { table: TABLE, key: key(&bucket), precondition };
    change(&caller, &api, what, why).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A bucket that might be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarryBucketNamed)]
pub(crate) struct NamedBucket {
    on_day: i64,
    /// The last day of it; at or after the first.
    to_day: i64,
    #[schema(pattern = r"^(-?[0-9]{1,5}(\.[0-9]{1,6})?)?$")]
    annual_rate: Option<String>,
}

/// A change of a curve to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarryPreviewAsked)]
pub(crate) struct Proposed {
    #[schema(min_length = 1)]
    investor_instrument_name: String,
    /// Buckets beside those that are there, or in the place of those with the same first day.
    #[serde(default)]
    buckets: Vec<NamedBucket>,
    /// The days to reckon, at most 1,000; 0 to 60 where they are left out.
    #[schema(max_items = 1000)]
    days: Option<Vec<i32>>,
}

/// What carrying a loan for so long earns, or costs.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryOfDay)]
pub(crate) struct DayView {
    /// Days from eligibility to settlement.
    interest_earning_days: i32,
    /// The mean rate of the day: points a year.
    annual_rate: String,
    /// Points per 100 of par.
    carry_cost: String,
}

/// A curve as it would be.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryPreview)]
pub(crate) struct Preview {
    days: Vec<DayView>,
    warnings: Vec<WarningView>,
}

/// The most days that are reckoned at once.
const DAYS: usize = 1_000;

/// What a curve with these changes would cost, and what is noticed about it; changes nothing.
#[utoipa::path(post, operation_id = "preview_carry_cost",
    path = "/api/powerfill/carry-cost/preview", tag = "configuration",
    request_body = Proposed, responses((status = 200, body = Preview)))]
pub(crate) async fn preview(
    Viewer(caller): Viewer,
    Body(asked): Body<Proposed>,
) -> Answer<Json<Preview>> {
    let instrument = asked.investor_instrument_name;
    if instrument.trim().is_empty() {
        return Err(Problem::bad("investor_instrument_name is empty."));
    }
    let days = asked.days.unwrap_or_else(|| (0..=60).collect());
    if days.len() > DAYS {
        return Err(Problem::bad(format!("days has more than {DAYS}.")));
    }
    let rows = asked.buckets.into_iter().map(|new| {
        let body = BucketBody { to_day: new.to_day, annual_rate: new.annual_rate };
        row(&instrument, new.on_day, body)
    });
    let write = ConfigChange::Write {
        table: TABLE,
        rows: rows.collect(),
        left_out: LeftOut::Empty,
        precondition: Precondition::Any,
    };
    let (store, tenant) = (caller.store().await?, TenantId::from(caller.tenant.id()));
    let state = preview_change(store.as_ref(), &tenant, &ConfigCommand::from(write)).await?.state;
    let curve = curve(&state, &instrument);
    let buckets: Vec<_> = curve
        .iter()
        .filter_map(|bucket| {
            let (on_day, to_day, annual_rate) = (bucket.on_day, bucket.to_day, bucket.annual_rate?);
            Some(RateBucket { on_day, to_day, annual_rate })
        })
        .collect();
    let days = carry_of_days(&buckets, days).into_iter().map(|day| DayView {
        interest_earning_days: day.interest_earning_days,
        annual_rate: day.annual_rate.to_string(),
        carry_cost: day.carry_cost.to_string(),
    });
    Ok(Json(Preview { days: days.collect(), warnings: warnings(&curve) }))
}
