//! The cost of a carry curve before it is changed.

use axum::Json;
use powerfill_app::configure::preview_change;
use powerfill_engine::{RateBucket, carry_of_days};
use powerfill_events::values::TenantId;
use powerfill_snapshot::config::{CarryBucketRow, ConfigCommand, ConfigTable, Precondition};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::given::GivenCells;
use super::view::{CurveWarning, curve, warnings};
use super::write_rows;
use crate::caller::Viewer;
use crate::extract::Body;
use crate::problem::{ApiResult, Problem};
use crate::schema::CarryBucketNamed;

/// A change of a curve to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarryPreviewAsked)]
pub(crate) struct CurveProposal {
    #[schema(min_length = 1)]
    investor_instrument_name: String,
    /// New buckets. One with the first day of a present bucket replaces it.
    #[serde(default)]
    #[schema(value_type = Vec<CarryBucketNamed>)]
    buckets: Vec<GivenCells<CarryBucketRow, 1>>,
    /// The days to calculate, at most 1,000. Absent: 0 to 60.
    #[schema(max_items = 1000)]
    days: Option<Vec<i32>>,
}

/// The carry of a loan over a number of days.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryOfDay)]
pub(crate) struct DailyCarry {
    /// Days from eligibility to settlement.
    interest_earning_days: i32,
    /// The mean rate of the day: points per year.
    annual_rate: String,
    /// Points per 100 of par.
    carry_cost: String,
}

/// A curve with the proposed change.
#[derive(Serialize, ToSchema)]
#[schema(as = CarryPreview)]
pub(crate) struct CurvePreview {
    days: Vec<DailyCarry>,
    warnings: Vec<CurveWarning>,
}

/// The most days of a preview.
const MAX_DAYS: usize = 1_000;

/// The cost of a curve with these changes, and the warnings about it; changes nothing.
#[utoipa::path(post, operation_id = "preview_carry_cost",
    path = "/api/powerfill/carry-cost/preview", tag = "configuration",
    request_body = CurveProposal, responses((status = 200, body = CurvePreview)))]
pub(crate) async fn preview(
    Viewer { caller, .. }: Viewer,
    Body(proposal): Body<CurveProposal>,
) -> ApiResult<Json<CurvePreview>> {
    let instrument = proposal.investor_instrument_name;
    if instrument.trim().is_empty() {
        return Err(Problem::bad("investor_instrument_name is empty."));
    }
    let days = proposal.days.unwrap_or_else(|| (0..=60).collect());
    if days.len() > MAX_DAYS {
        return Err(Problem::bad(format!("days has more than {MAX_DAYS}.")));
    }
    let row = |GivenCells { row: mut cells, .. }: GivenCells<CarryBucketRow, 1>| {
        cells.insert(0, ("investor_instrument_name".to_owned(), instrument.clone()));
        cells
    };
    let rows = proposal.buckets.into_iter().map(row).collect();
    let command = ConfigCommand::from(write_rows(ConfigTable::Carry, rows, Precondition::Any));
    let (store, tenant) = (caller.store().await?, TenantId::from(caller.tenant.id()));
    let state = preview_change(store.as_ref(), &tenant, &command).await?.state;
    let curve = curve(&state, &instrument);
    let bucket = |bucket: &&CarryBucketRow| {
        let (on_day, to_day, annual_rate) = (bucket.on_day, bucket.to_day, bucket.annual_rate?);
        Some(RateBucket { on_day, to_day, annual_rate })
    };
    let buckets: Vec<_> = curve.iter().filter_map(bucket).collect();
    let days = carry_of_days(&buckets, days).into_iter().map(|day| DailyCarry {
        interest_earning_days: day.interest_earning_days,
        annual_rate: day.annual_rate.to_string(),
        carry_cost: day.carry_cost.to_string(),
    });
    Ok(Json(CurvePreview { days: days.collect(), warnings: warnings(&curve) }))
}
