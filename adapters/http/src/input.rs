//! Operations that read the tenant's source: a new run, preflight, and preprocess (specification
//! 2.2, 4.3).

use std::sync::Arc;
use std::time::Duration;

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

use crate::api::Api;
use crate::caller::Operator;
use crate::extract::Body;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::runs::accepted;
use crate::schema::Options;
use crate::tenant::{TenantError, TenantHandle};

/// The lease of a runner that requests runs and claims none.
const UNUSED_LEASE: Duration = Duration::from_secs(30);

/// The options of an operation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Asked, example = json!({ "options": { "price_mode": "pc", "max_trade_settle_days": 45 } }))]
pub(crate) struct OptionsBody {
    /// Absent: the options of the tenant.
    #[schema(value_type = Option<Options>)]
    options: Option<Box<RawValue>>,
}

impl OptionsBody {
    fn resolve(&self, tenant: &dyn TenantHandle) -> ApiResult<RunOptions> {
        resolve_options(self.options.as_deref(), tenant)
    }
}

/// Resolves the options of a request, or those of the tenant.
pub(crate) fn resolve_options(
    given: Option<&RawValue>,
    tenant: &dyn TenantHandle,
) -> ApiResult<RunOptions> {
    let given = match given {
        Some(options) => GivenOptions::from_json(options.get()),
        None => tenant.options().map_err(|error| refusal(tenant, error))?,
    };
    given.resolve().map_err(|report| Problem::refused("The options are refused", &report))
}

fn refusal(tenant: &dyn TenantHandle, error: TenantError) -> Problem {
    match error {
        TenantError::Refused(report) => Problem::refused("The snapshot is refused", &report),
        TenantError::Unavailable(error) => unavailable(tenant, &error),
    }
}

fn unavailable(tenant: &dyn TenantHandle, error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(tenant = tenant.id(), %error, "the source cannot be read");
    let detail = "The tenant's source cannot be read; the log of the service has the cause.";
    Problem::new(ProblemKind::Unavailable, detail)
}

/// Reads and validates the tenant's snapshot on a thread that answers no requests, and makes a
/// result from it there.
pub(crate) async fn from_snapshot<T: Send + 'static>(
    api: &Api,
    tenant: &Arc<dyn TenantHandle>,
    make: impl FnOnce(Validated) -> T + Send + 'static,
) -> ApiResult<T> {
    let _permit =
        Arc::clone(&api.readings).acquire_owned().await.map_err(|error| internal(&error))?;
    let tenant = Arc::clone(tenant);
    let result = tokio::task::spawn_blocking(move || {
        let validated = tenant.input().map_err(|error| refusal(tenant.as_ref(), error))?;
        let owner = TenantId::from(&validated.snapshot.header.tenant_id);
        if owner != TenantId::from(tenant.id()) {
            return Err(unavailable(tenant.as_ref(), &"the source belongs to another tenant"));
        }
        Ok(make(validated))
    });
    result.await.map_err(|panic| internal(&panic))?
}

/// Requests a run on the tenant's source. A worker runs it.
///
/// A repeated request with the same `Idempotency-Key` is answered with the same run, in any status.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/run", tag = "runs", request_body = OptionsBody,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,200}$", description = "1 to 200 characters; makes a retry safe")),
    responses((status = 202, body = crate::runs::RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn run(
    Operator(caller): Operator,
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Body(body): Body<OptionsBody>,
) -> ApiResult<Response> {
    let options = body.resolve(caller.tenant.as_ref())?;
    let key = idempotency_key(&headers)?;
    let store = caller.store().await?;
    let run = match key {
        Some(key) => run_of_key(caller.tenant.id(), key),
        None => RunId(Uuid::now_v7()),
    };
    if key.is_some()
        && let Some(answer) = earlier_answer(store.as_ref(), run, &options).await?
    {
        return Ok(answer);
    }
    // The source can take long to read. The store checks this again when it queues the run.
    if let Some(active) = store.active_run().await? {
        return Err(Problem::run_active(active.run_id));
    }
    let Validated { snapshot, source_warnings, .. } =
        from_snapshot(&api, &caller.tenant, |validated| validated).await?;
    let runner =
        Runner::new(Arc::clone(&store), Arc::clone(&api.clock), String::new(), UNUSED_LEASE);
    let request = RunRequest {
        run_id: run,
        snapshot: &snapshot,
        options: &options,
        requested_by: &caller.actor,
        source_warnings: &source_warnings,
    };
    match runner.request(&request).await {
        Ok(_) => Ok(accepted(run, RunStatus::Pending.name())),
        // A concurrent request with the same key was faster.
        Err(AppError::Store(StoreError::RunActive(active))) if active == run => {
            let earlier = earlier_answer(store.as_ref(), run, &options).await?;
            earlier.ok_or_else(|| Problem::run_active(active))
        }
        Err(error) => Err(error.into()),
    }
}

fn idempotency_key(headers: &HeaderMap) -> ApiResult<Option<&str>> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
    let wrong = || Problem::bad("Idempotency-Key is 1 to 200 visible ASCII characters.");
    key.map(Some).ok_or_else(wrong)
}

/// The run of an idempotency key: the same for every request, also on another server.
fn run_of_key(tenant: &str, key: &str) -> RunId {
    let length = (tenant.len() as u64).to_le_bytes();
    let fields = [&length[..], tenant.as_bytes(), key.as_bytes()];
    RunId(derive_uuid("powerfill 2026 idempotency key", &fields))
}

/// The answer to an earlier request of this run. It must have had the same options.
async fn earlier_answer(
    store: &dyn Store,
    run: RunId,
    options: &RunOptions,
) -> ApiResult<Option<Response>> {
    let Some(queued) = store.run(run).await? else { return Ok(None) };
    let mut batches = store.read_between(&run.stream(), 1, 1);
    let first = batches.try_next().await?.and_then(|batch| batch.into_iter().next());
    let first = first.map(DecodedEvent::try_from).transpose()?.map(|first| first.event);
    let Some(RunEvent::RunRequested(requested)) = first else { return Ok(None) };
    let as_of = options.as_of.or(requested.options.as_of);
    if requested.options != (RunOptions { as_of, ..options.clone() }) {
        let detail =
            format!("Run {run} was requested with this key and other options; use another key.");
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

/// The findings of preflight.
#[derive(Serialize, ToSchema)]
#[schema(as = Preflight)]
pub(crate) struct PreflightResult {
    /// Whether a run would be refused.
    refused: bool,
    findings: Vec<FindingView>,
}

/// Runs the nine checks on the tenant's source, without a run.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/preflight", tag = "input", request_body = OptionsBody,
    responses((status = 200, body = PreflightResult)))]
pub(crate) async fn preflight(
    Operator(caller): Operator,
    State(api): State<Arc<Api>>,
    Body(body): Body<OptionsBody>,
) -> ApiResult<Json<PreflightResult>> {
    let options = body.resolve(caller.tenant.as_ref())?;
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
    Ok(Json(PreflightResult { refused, findings: view.collect() }))
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

/// The result of preprocess.
#[derive(Serialize, ToSchema)]
#[schema(as = Preprocessed)]
pub(crate) struct PreprocessResult {
    /// Rows to add to the lockdown guide. Present rows are never changed.
    lockdown: Vec<LockdownRow>,
    trade_params: Vec<TradeRow>,
    epci_params: Vec<CapacityRow>,
}

/// Proposes lockdown rows for the tenant's source and shows trade and capacity parameters; changes
/// nothing.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/preprocess", tag = "input", request_body = OptionsBody,
    responses((status = 200, body = PreprocessResult)))]
pub(crate) async fn preprocess(
    Operator(caller): Operator,
    State(api): State<Arc<Api>>,
    Body(body): Body<OptionsBody>,
) -> ApiResult<Json<PreprocessResult>> {
    let options = body.resolve(caller.tenant.as_ref())?;
    let proposal = from_snapshot(&api, &caller.tenant, move |validated| {
        powerfill_engine::preprocess(&validated.snapshot, &options)
    })
    .await?;
    Ok(Json(PreprocessResult {
        lockdown: proposal.lockdown.iter().map(lockdown_row).collect(),
        trade_params: proposal.trade_params.iter().map(trade_row).collect(),
        epci_params: proposal.epci_params.iter().map(capacity_row).collect(),
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
