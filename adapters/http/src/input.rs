//! Operations that read the tenant's source: a new run, preflight, and preprocess (specification
//! 2.2, 4.3).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::HeaderMap;
use axum::response::Response;
use powerfill_app::{RunRequest, Runner, active_run_settled};
use powerfill_engine::{Epci, LockdownProposal, PreprocessTables, TradeParams};
use powerfill_events::challenge::ChallengeId;
use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    Finding, RunOrigin, RunRequested, Scenario, Severity, SourceMapping,
};
use powerfill_events::values::{TenantId, derive_uuid};
use powerfill_ports::Store;
use powerfill_snapshot::config::ConfigTable;
use powerfill_snapshot::{
    Fault, GivenOptions, RunOptions, Severity as FaultSeverity, Snapshot, Validated,
    check_options_for,
};
use powerfill_tables::status::RunStatus;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::{answer_object, text};
use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::caller::{Caller, Operator};
use crate::extract::Body;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::run_view::requested;
use crate::runs::accepted;
use crate::schema::Options;
use crate::tenant::{TenantError, TenantHandle};

/// The lease of a runner that requests runs and claims none.
const UNUSED_LEASE: Duration = Duration::from_secs(30);

const OPTIONS_REFUSED: &str = "The options are refused";

/// The options of an operation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Asked, example = json!({
    "options": { "price_mode": "pc", "max_trade_settle_days": 45 }
}))]
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
    given.resolve().map_err(|report| Problem::refused(OPTIONS_REFUSED, &report))
}

/// Refuses options that do not fit the book.
pub(crate) fn check_options(options: &RunOptions, snapshot: &Snapshot) -> ApiResult<()> {
    check_options_for(options, snapshot)
        .map_err(|report| Problem::refused(OPTIONS_REFUSED, &report))
}

fn refusal(tenant: &dyn TenantHandle, error: TenantError) -> Problem {
    match error {
        TenantError::Refused(report) => {
            let mut errors = report.faults.iter().filter(|f| f.severity == FaultSeverity::Error);
            let is_managed = |fault: &Fault| ConfigTable::named(&fault.table).is_some();
            let what = match tenant.manages_configuration() && errors.all(is_managed) {
                true => "The managed configuration does not fit the source",
                false => "The snapshot is refused",
            };
            Problem::refused(what, &report)
        }
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
    let permit = api.readings.acquire(tenant.id(), None, api.limits.queue_timeout).await?;
    let tenant = Arc::clone(tenant);
    spawn_blocking(async move || {
        let _permit = permit;
        let validated = tenant.input().await.map_err(|error| refusal(tenant.as_ref(), error))?;
        let owner = TenantId::from(&validated.snapshot.header.tenant_id);
        if owner != TenantId::from(tenant.id()) {
            return Err(unavailable(tenant.as_ref(), &"the source belongs to another tenant"));
        }
        Ok(make(validated))
    })
    .await
}

/// Requests a run on the tenant's source. A worker runs it.
///
/// A repeated request with the same `Idempotency-Key` is answered with the same run, in any status.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/run", tag = "runs", request_body = OptionsBody,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,200}$",
        description = "1 to 200 characters; makes a retry safe")),
    responses((status = 202, body = crate::runs::RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn run(
    Operator { caller, api }: Operator,
    headers: HeaderMap,
    Body(body): Body<OptionsBody>,
) -> ApiResult<Response> {
    let options = body.resolve(caller.tenant.as_ref())?;
    let store = caller.store().await?;
    let asked = AskedRun::Options(&options);
    let new = match find_request(store.as_ref(), &caller, &headers, asked).await? {
        FoundRequest::New(new) => new,
        FoundRequest::Earlier(answer) => return Ok(answer),
    };
    // The source can take long to read. The store checks this again when it queues the run.
    if let Some(active) = active_run_settled(store.as_ref()).await? {
        return Err(Problem::run_active(active));
    }
    let Validated { snapshot, source_warnings, mapping, provenance, .. } =
        from_snapshot(&api, &caller.tenant, |validated| validated).await?;
    check_options(&options, &snapshot)?;
    let input = RequestedRun {
        snapshot: &snapshot,
        options: &options,
        source_warnings: &source_warnings,
        mapping: mapping.as_ref(),
        origin: RunOrigin { provenance, ..RunOrigin::default() },
    };
    enqueue(&api, &caller, store, new, input).await
}

/// What is requested.
pub(crate) struct RequestedRun<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) options: &'a RunOptions,
    pub(crate) source_warnings: &'a [String],
    pub(crate) mapping: Option<&'a SourceMapping>,
    pub(crate) origin: RunOrigin,
}

/// What the body of a request says: that of a repetition says the same.
#[derive(Clone, Copy)]
pub(crate) enum AskedRun<'a> {
    /// A run with these options.
    Options(&'a RunOptions),
    Scenario(&'a Scenario),
    /// The allocation of a challenge.
    Adoption(ChallengeId),
}

impl AskedRun<'_> {
    fn is_of(self, requested: &RunRequested) -> bool {
        let RunOrigin { scenario, challenge, .. } = &requested.origin;
        match self {
            Self::Scenario(asked) => scenario.as_ref() == Some(asked),
            Self::Adoption(asked) => challenge.as_ref() == Some(&asked.stream()),
            Self::Options(options) => {
                let as_of = options.as_of.or(requested.options.as_of);
                scenario.is_none()
                    && challenge.is_none()
                    && requested.options == (RunOptions { as_of, ..options.clone() })
            }
        }
    }
}

/// A run that was not requested before.
pub(crate) struct NewRun<'a> {
    pub(crate) run: RunId,
    /// What is asked for, if the id follows from an idempotency key.
    keyed: Option<AskedRun<'a>>,
}

/// What the idempotency key of a request stands for.
pub(crate) enum FoundRequest<'a> {
    /// Nothing yet, or there is no key.
    New(NewRun<'a>),
    /// A run that was requested before, with the answer.
    Earlier(Response),
}

/// Looks the idempotency key up. What was requested with it before must be the same.
pub(crate) async fn find_request<'a>(
    store: &dyn Store,
    caller: &Caller,
    headers: &HeaderMap,
    asked: AskedRun<'a>,
) -> ApiResult<FoundRequest<'a>> {
    let Some(key) = idempotency_key(headers)? else {
        return Ok(FoundRequest::New(NewRun { run: RunId(Uuid::now_v7()), keyed: None }));
    };
    let run = run_of_key(caller.tenant.id(), key);
    Ok(match earlier_answer(store, run, asked).await? {
        Some(answer) => FoundRequest::Earlier(answer),
        None => FoundRequest::New(NewRun { run, keyed: Some(asked) }),
    })
}

/// Captures the input and queues the run.
pub(crate) async fn enqueue(
    api: &Api,
    caller: &Caller,
    store: Arc<dyn Store>,
    NewRun { run, keyed }: NewRun<'_>,
    input: RequestedRun<'_>,
) -> ApiResult<Response> {
    let runner =
        Runner::new(Arc::clone(&store), Arc::clone(&api.clock), String::new(), UNUSED_LEASE);
    let RequestedRun { snapshot, options, source_warnings, mapping, origin } = input;
    let request = RunRequest {
        run_id: run,
        snapshot,
        options,
        requested_by: &caller.actor,
        source_warnings,
        mapping,
        origin,
    };
    match (runner.request(&request).await, keyed) {
        (Ok(_), _) => Ok(accepted(run, RunStatus::Pending.name())),
        // A concurrent request with the same key may have been faster, with the same input or with
        // another one, and its run may be over.
        (Err(error), Some(asked)) => {
            let earlier = earlier_answer(store.as_ref(), run, asked).await?;
            earlier.ok_or_else(|| error.into())
        }
        (Err(error), None) => Err(error.into()),
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

/// The answer to an earlier request of this run. It must have asked for the same.
async fn earlier_answer(
    store: &dyn Store,
    run: RunId,
    asked: AskedRun<'_>,
) -> ApiResult<Option<Response>> {
    let Some(queued) = store.run(run).await? else { return Ok(None) };
    let Some(requested) = requested(store, run).await? else { return Ok(None) };
    if !asked.is_of(&requested) {
        let detail =
            format!("Run {run} was requested with this key for something else; use another key.");
        return Err(Problem::new(ProblemKind::KeyReused, detail).with("run_id", run.to_string()));
    }
    Ok(Some(accepted(run, queued.status.name())))
}

answer_object! {
    /// A finding of preflight.
    FindingView(finding: Finding) {
        code: String = finding.code.as_str().to_owned(),
        severity: String = finding.severity.as_str().to_owned(),
        subject: Option<String> = finding.subject,
        message: String = finding.message,
    }
}

answer_object! {
    /// What is valid in the input and likely wrong.
    InputWarning(fault: Fault) {
        table: String = fault.table.into_owned(),
        /// The data row from 1, or the cell of a workbook; empty for a whole table.
        row: String = fault.row,
        column: String = fault.column.into_owned(),
        value: String = fault.value,
        code: String = fault.code.as_str().to_owned(),
        reason: String = fault.reason.into_owned(),
    }
}

/// The findings of preflight.
#[derive(Serialize, ToSchema)]
#[schema(as = Preflight)]
pub(crate) struct PreflightResult {
    /// Whether a run would be refused.
    refused: bool,
    findings: Vec<FindingView>,
    /// The warnings of the validation: what a run would do with the input is not affected.
    warnings: Vec<InputWarning>,
}

/// Runs the nine checks on the tenant's source, without a run.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/preflight", tag = "input", request_body = OptionsBody,
    responses((status = 200, body = PreflightResult)))]
pub(crate) async fn preflight(
    Operator { caller, api }: Operator,
    Body(body): Body<OptionsBody>,
) -> ApiResult<Json<PreflightResult>> {
    let options = body.resolve(caller.tenant.as_ref())?;
    let (findings, warnings) = from_snapshot(&api, &caller.tenant, move |validated| {
        let Validated { snapshot, warnings, .. } = validated;
        check_options(&options, &snapshot)?;
        Ok::<_, Problem>((powerfill_engine::preflight(&snapshot, &options), warnings.faults))
    })
    .await??;
    let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    let findings = findings.into_iter().map(FindingView::from).collect();
    let warnings = warnings.into_iter().map(InputWarning::from).collect();
    Ok(Json(PreflightResult { refused, findings, warnings }))
}

answer_object! {
    /// A proposed row of `pfill_lockdown_guide`.
    LockdownRow(row: &LockdownProposal) {
        pool_name: String = row.pool_name.to_string(),
        investor_instrument_name: String = row.investor_instrument_name.to_string(),
        trade_id: Option<String> = text(row.trade_id.as_ref()),
        lock_pool: &'static str = "Y",
    }
}

answer_object! {
    /// A row of `pfill_trade_params`.
    TradeRow(row: &TradeParams) {
        trade_id: String = row.trade.trade_id.to_string(),
        investor_id: String = row.trade.investor_id.to_string(),
        investor_instrument_name: String = row.trade.investor_instrument_name.to_string(),
        trade_type: String = row.trade.trade_type.as_str().to_owned(),
        settlement_date: Option<String> = text(row.trade.settlement_date),
        included: bool = row.trade.band.is_some(),
        exclusion_reason: Option<String> =
            row.trade.exclusion_reason.map(|reason| reason.as_str().to_owned()),
        open_amount: String = row.trade.open_amount.to_string(),
        tolerance_amount: Option<String> =
            text(row.trade.band.as_ref().map(|band| band.tolerance_amount)),
        min_amount: Option<String> = text(row.trade.band.as_ref().map(|band| band.min_amount)),
        max_amount: Option<String> = text(row.trade.band.as_ref().map(|band| band.max_amount)),
        days_to_settle: Option<i32> = row.days_to_settle,
    }
}

answer_object! {
    /// A row of `pfill_epci_params`.
    CapacityRow(row: &Epci) {
        investor_id: String = row.node.investor_id.to_string(),
        investor_instrument_name: String = row.node.investor_instrument_name.to_string(),
        constraint_name: String = row.node.constraint_name.to_string(),
        trade_id: String = row.trade_id.to_string(),
        lo_amount: Option<String> = text(row.lo_amount),
        hi_amount: Option<String> = text(row.hi_amount),
    }
}

answer_object! {
    /// The result of preprocess.
    #[schema(as = Preprocessed)]
    PreprocessResult(preview: PreprocessTables) {
        /// Rows to add to the lockdown guide. Present rows are never changed.
        lockdown: Vec<LockdownRow> = preview.lockdown.iter().map(Into::into).collect(),
        trade_params: Vec<TradeRow> = preview.trade_params.iter().map(Into::into).collect(),
        epci_params: Vec<CapacityRow> = preview.epci_params.iter().map(Into::into).collect(),
    }
}

/// Proposes lockdown rows for the tenant's source and shows trade and capacity parameters; changes
/// nothing.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/preprocess", tag = "input", request_body = OptionsBody,
    responses((status = 200, body = PreprocessResult)))]
pub(crate) async fn preprocess(
    Operator { caller, api }: Operator,
    Body(body): Body<OptionsBody>,
) -> ApiResult<Json<PreprocessResult>> {
    let options = body.resolve(caller.tenant.as_ref())?;
    let preview = from_snapshot(&api, &caller.tenant, move |validated| {
        check_options(&options, &validated.snapshot)?;
        Ok::<_, Problem>(powerfill_engine::preprocess(&validated.snapshot, &options))
    });
    Ok(Json(preview.await??.into()))
}
