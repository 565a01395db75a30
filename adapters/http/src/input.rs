//! What reads the tenant's source: a run that is asked for, preflight, preprocess (specification
//! 2.2, 4.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::TryStreamExt;
use powerfill_app::{AppError, DecodedEvent, RunRequest, Runner};
use powerfill_engine::{Epci, LockdownProposal, TradeParams};
use powerfill_events::run::event::Severity;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{TenantId, derive_uuid};
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::{GivenOptions, RunOptions, Validated};
use powerfill_tables::status::RunStatus;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::{Api, Tenant};
use crate::caller::Operator;
use crate::extract::Body;
use crate::problem::{Answer, Problem, ProblemKind, internal};
use crate::runs::accepted;
use crate::schema::Options;

/// What is asked with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "options": { "price_mode": "pc", "max_trade_settle_days": 45 } }))]
pub(crate) struct Asked {
    /// Where it is left out, the tenant's own options count.
    #[schema(value_type = Option<Options>)]
    options: Option<Box<RawValue>>,
}

impl Asked {
    fn options(&self, tenant: &dyn Tenant) -> Answer<RunOptions> {
        resolved(self.options.as_deref(), tenant)
    }
}

/// The options that are given, or the tenant's own.
pub(crate) fn resolved(given: Option<&RawValue>, tenant: &dyn Tenant) -> Answer<RunOptions> {
    let given = match given {
        Some(options) => GivenOptions::from_json(options.get()),
        None => tenant.options().map_err(|error| source_away(tenant, &error))?,
    };
    given.resolve().map_err(|report| Problem::refused("The options are refused", &report))
}

fn source_away(tenant: &dyn Tenant, error: &str) -> Problem {
    tracing::error!(tenant = tenant.id(), error, "the source cannot be read");
    let detail =
        "The tenant's source cannot be read; whoever keeps the service finds why in its log.";
    Problem::new(ProblemKind::Unavailable, detail)
}

/// The tenant's snapshot, read and checked away from the threads that answer, together with what is
/// made of it.
pub(crate) async fn from_snapshot<T: Send + 'static>(
    api: &Api,
    tenant: &Arc<dyn Tenant>,
    make: impl FnOnce(Validated) -> T + Send + 'static,
) -> Answer<T> {
    let _one = Arc::clone(&api.readings).acquire_owned().await.map_err(|error| internal(&error))?;
    let tenant = Arc::clone(tenant);
    let made = tokio::task::spawn_blocking(move || {
        let read = tenant.input().map_err(|error| source_away(tenant.as_ref(), &error))?;
        let validated =
            read.map_err(|report| Problem::refused("The snapshot is refused", &report))?;
        let found = TenantId::from(&validated.snapshot.header.tenant_id);
        if found != TenantId::from(tenant.id()) {
            return Err(source_away(tenant.as_ref(), "its source is of another tenant"));
        }
        Ok(make(validated))
    });
    made.await.map_err(|panic| internal(&panic))?
}

/// Asks for a run of the tenant's source; workers carry it through.
///
/// Sent again with the same `Idempotency-Key` it is the same run, whatever became of it.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/run", tag = "runs", request_body = Asked,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,200}$", description = "1 to 200 characters; makes a retry safe")),
    responses((status = 202, body = crate::runs::RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn run(
    Operator(caller): Operator,
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Body(asked): Body<Asked>,
) -> Answer<Response> {
    let options = asked.options(caller.tenant.as_ref())?;
    let key = idempotency_key(&headers)?;
    let store = caller.store().await?;
    let run = match key {
        Some(key) => keyed(caller.tenant.id(), key),
        None => RunId(Uuid::now_v7()),
    };
    if key.is_some()
        && let Some(answer) = asked_before(store.as_ref(), run, &options).await?
    {
        return Ok(answer);
    }
    // Before the source is read, which may take long. The store looks again when the run is queued.
    if let Some(active) = store.active_run().await? {
        return Err(Problem::run_active(active.run_id));
    }
    let Validated { snapshot, source_warnings, .. } =
        from_snapshot(&api, &caller.tenant, |validated| validated).await?;
    let runner =
        Runner::new(Arc::clone(&store), Arc::clone(&api.clock), String::new(), crate::LEASE);
    let ask = RunRequest {
        run_id: run,
        snapshot: &snapshot,
        options: &options,
        requested_by: &caller.actor,
        source_warnings: &source_warnings,
    };
    match runner.request(&ask).await {
        Ok(_) => Ok(accepted(run, RunStatus::Pending.name())),
        // Another request with this key was faster.
        Err(AppError::Store(StoreError::RunActive(active))) if active == run => {
            let before = asked_before(store.as_ref(), run, &options).await?;
            before.ok_or_else(|| Problem::run_active(active))
        }
        Err(error) => Err(error.into()),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Answer<Option<&str>> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
    let wrong = || Problem::bad("Idempotency-Key is 1 to 200 visible ASCII characters.");
    key.map(Some).ok_or_else(wrong)
}

/// The run that a key stands for: the same however often it is asked for, also by another server.
fn keyed(tenant: &str, key: &str) -> RunId {
    let length = (tenant.len() as u64).to_le_bytes();
    let fields = [&length[..], tenant.as_bytes(), key.as_bytes()];
    RunId(derive_uuid("powerfill 2026 idempotency key", &fields))
}

/// The answer to a request that was made before; other options are another request.
async fn asked_before(
    store: &dyn Store,
    run: RunId,
    options: &RunOptions,
) -> Answer<Option<Response>> {
    let Some(queued) = store.run(run).await? else { return Ok(None) };
    let mut batches = store.read_between(&run.stream(), 1, 1);
    let first = batches.try_next().await?.and_then(|batch| batch.into_iter().next());
    let first = first.map(DecodedEvent::try_from).transpose()?.map(|first| first.event);
    let Some(RunEvent::RunRequested(requested)) = first else { return Ok(None) };
    let as_of = options.as_of.or(requested.options.as_of);
    if requested.options != (RunOptions { as_of, ..options.clone() }) {
        let detail =
            format!("Run {run} was asked for with this key and other options; use another key.");
        return Err(Problem::new(ProblemKind::KeyReused, detail).with("run_id", run.to_string()));
    }
    Ok(Some(accepted(run, queued.status.name())))
}

/// A finding of preflight.
#[derive(Serialize, ToSchema)]
pub(crate) struct FindingView {
    code: String,
    severity: String,
    subject: Option<String>,
    message: String,
}

/// What preflight finds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Preflight {
    /// Whether a run would be refused.
    refused: bool,
    findings: Vec<FindingView>,
}

/// The nine checks on the tenant's source, without a run.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/preflight", tag = "input", request_body = Asked,
    responses((status = 200, body = Preflight)))]
pub(crate) async fn preflight(
    Operator(caller): Operator,
    State(api): State<Arc<Api>>,
    Body(asked): Body<Asked>,
) -> Answer<Json<Preflight>> {
    let options = asked.options(caller.tenant.as_ref())?;
    let findings = from_snapshot(&api, &caller.tenant, move |validated| {
        powerfill_engine::preflight(&validated.snapshot, &options)
    })
    .await?;
    let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    let view = findings.into_iter().map(|finding| FindingView {
        code: finding.code.as_str().to_owned(),
        severity: finding.severity.as_str().to_owned(),
        subject: finding.subject,
        message: finding.message,
    });
    Ok(Json(Preflight { refused, findings: view.collect() }))
}

/// A proposed row of `pfill_lockdown_guide`.
#[derive(Serialize, ToSchema)]
pub(crate) struct LockdownRow {
    pool_name: String,
    investor_instrument_name: String,
    trade_id: Option<String>,
    lock_pool: &'static str,
}

/// A row of `pfill_trade_params`.
#[derive(Serialize, ToSchema)]
pub(crate) struct TradeRow {
    trade_id: String,
    investor_id: String,
    investor_instrument_name: String,
    trade_type: String,
    settlement_date: Option<String>,
    included: bool,
    exclusion_reason: Option<String>,
    open_amount: String,
    tolerance_amount: Option<String>,
    min_amount: Option<String>,
    max_amount: Option<String>,
    days_to_settle: Option<i32>,
}

/// A row of `pfill_epci_params`.
#[derive(Serialize, ToSchema)]
pub(crate) struct CapacityRow {
    investor_id: String,
    investor_instrument_name: String,
    constraint_name: String,
    trade_id: String,
    lo_amount: Option<String>,
    hi_amount: Option<String>,
}

/// What preprocess proposes and shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Preprocessed {
    /// Rows that the lockdown guide would gain; rows that exist are never changed.
    lockdown: Vec<LockdownRow>,
    trade_params: Vec<TradeRow>,
    epci_params: Vec<CapacityRow>,
}

/// Proposes lockdown rows for the tenant's source and shows trade and capacity parameters; changes
/// nothing.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/preprocess", tag = "input", request_body = Asked,
    responses((status = 200, body = Preprocessed)))]
pub(crate) async fn preprocess(
    Operator(caller): Operator,
    State(api): State<Arc<Api>>,
    Body(asked): Body<Asked>,
) -> Answer<Json<Preprocessed>> {
    let options = asked.options(caller.tenant.as_ref())?;
    let made = from_snapshot(&api, &caller.tenant, move |validated| {
        powerfill_engine::preprocess(&validated.snapshot, &options)
    })
    .await?;
    Ok(Json(Preprocessed {
        lockdown: made.lockdown.iter().map(lockdown_row).collect(),
        trade_params: made.trade_params.iter().map(trade_row).collect(),
        epci_params: made.epci_params.iter().map(capacity_row).collect(),
    }))
}

fn text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn lockdown_row(row: &LockdownProposal) -> LockdownRow {
    LockdownRow {
        pool_name: row.pool_name.to_string(),
        investor_instrument_name: row.investor_instrument_name.to_string(),
        trade_id: text(row.trade_id.as_ref()),
        lock_pool: "Y",
    }
}

fn trade_row(params: &TradeParams) -> TradeRow {
    let (trade, band) = (&params.trade, params.trade.band.as_ref());
    TradeRow {
        trade_id: trade.trade_id.to_string(),
        investor_id: trade.investor_id.to_string(),
        investor_instrument_name: trade.investor_instrument_name.to_string(),
        trade_type: trade.trade_type.as_str().to_owned(),
        settlement_date: text(trade.settlement_date),
        included: band.is_some(),
        exclusion_reason: trade.exclusion_reason.map(|reason| reason.as_str().to_owned()),
        open_amount: trade.open_amount.to_string(),
        tolerance_amount: text(band.map(|band| band.tolerance_amount)),
        min_amount: text(band.map(|band| band.min_amount)),
        max_amount: text(band.map(|band| band.max_amount)),
        days_to_settle: params.days_to_settle,
    }
}

fn capacity_row(epci: &Epci) -> CapacityRow {
    CapacityRow {
        investor_id: epci.node.investor_id.to_string(),
        investor_instrument_name: epci.node.investor_instrument_name.to_string(),
        constraint_name: epci.node.constraint_name.to_string(),
        trade_id: epci.trade_id.to_string(),
        lo_amount: text(epci.lo_amount),
        hi_amount: text(epci.hi_amount),
    }
}
