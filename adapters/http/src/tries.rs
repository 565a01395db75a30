//! Tries and scenarios: decides edited inputs beside their base, and records one as a run that is
//! never official (specification part 8).

use std::sync::Arc;

use axum::Json;
use axum::http::HeaderMap;
use axum::response::Response;
use powerfill_app::in_memory::read_input;
use powerfill_app::tries::{
    TriesError, TriesReport, Try, TryReport, priority_tries, run_tries, stability_tries,
};
use powerfill_app::{RunControl, StopReason};
use powerfill_diff::outcome::{Mover, RunOutcome};
use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    RunOrigin, RunRequested, Scenario, SourceMapping, SourceProvenance,
};
use powerfill_snapshot::edits::{Edit, EditableInput};
use powerfill_snapshot::{FaultReport, Validated};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::annotations::{ensure_free, name_run};
use crate::answer::answer_object;
use crate::api::Api;
use crate::audit::when_permitted;
use crate::blocking::spawn_blocking;
use crate::caller::{Caller, Operator};
use crate::extract::Body;
use crate::input::{
    AskedRun, FoundRequest, RequestedRun, enqueue, find_request, from_snapshot, resolve_options,
};
use crate::problem::{ApiResult, Problem, internal};

/// The most tries of a request.
const MOST_TRIES: usize = 16;

/// The most tries of a study.
const MOST_STUDIED: usize = 64;

/// Edits of an input.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditedTry {
    /// The name of the try. Absent: its edits.
    name: Option<String>,
    /// One edit per line, as docs/reference/edits.md lists them, in the order in which they apply.
    edits: Vec<String>,
}

/// Tries that follow from the base (specification 8.4).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Study {
    /// Each turn together with its next one: what the order of the two costs is the value of the
    /// try less that of the base.
    CostOfPriorities,
    /// `switch_threshold` from 0 to 1, in steps of 1/8: switches against value.
    Stability,
}

/// Tries beside their base: either `tries` or `study`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "base_run": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34",
    "tries": [{ "edits": ["price_mode=pc"] }, { "name": "later", "edits": ["buffer=3"] }]
}))]
pub(crate) struct TriesBody {
    /// The run whose captured input and options are edited. Absent: the tenant's source with the
    /// tenant's options.
    base_run: Option<Uuid>,
    /// 1 to 16 tries.
    #[schema(min_items = 1, max_items = 16)]
    tries: Option<Vec<EditedTry>>,
    /// At most 64 tries that follow from the base.
    study: Option<Study>,
}

/// A try that is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "later", "note": "what the custodian asks for", "edits": ["buffer=3"]
}))]
pub(crate) struct ScenarioBody {
    /// The name of the scenario.
    name: String,
    /// Why it was tried.
    note: Option<String>,
    /// As for a try.
    base_run: Option<Uuid>,
    /// As for a try.
    edits: Vec<String>,
}

answer_object! {
    /// What a run comes to. Amounts are in dollars.
    OutcomeView(outcome: RunOutcome) {
        /// Why preflight refuses the input; all numbers are 0 then.
        failure: Option<String> = outcome.failure.map(|failure| failure.message),
        proceeds: String = outcome.proceeds.to_string(),
        carry: String = outcome.carry.to_string(),
        /// Proceeds and carry.
        value: String = outcome.value.to_string(),
        pick_up: String = outcome.pick_up.to_string(),
        placed: u64 = outcome.placed,
        kicked_out: u64 = outcome.kicked_out,
        /// Trades that are filled.
        filled: u64 = outcome.filled,
        /// Trades below their minimum.
        under: u64 = outcome.under,
        /// Loans that change from one pool to another.
        switches: u64 = outcome.switches,
    }
}

answer_object! {
    /// A loan that is in another trade than in the base.
    MoverView(mover: Mover) {
        loan_id: String = mover.loan_id,
        /// Its trade in the base; null for none.
        from_trade_id: Option<String> = mover.from_trade_id,
        /// Its trade in the try; null for none.
        to_trade_id: Option<String> = mover.to_trade_id,
        loan_amount: String = mover.loan_amount.to_string(),
        /// Its proceeds and carry in the try, less those in the base.
        value_change: String = mover.value_change.to_string(),
    }
}

answer_object! {
    /// A try beside the base.
    TryView(tried: TryReport) {
        name: String = tried.name,
        edits: Vec<String> = tried.edits,
        outcome: OutcomeView = tried.outcome.into(),
        /// The loans that are in another trade than in the base, or in none.
        moved: u64 = tried.moved,
        /// At most ten of them, the largest change of value first.
        movers: Vec<MoverView> = tried.movers.into_iter().map(Into::into).collect(),
    }
}

answer_object! {
    /// The base, and the tries in the order of the request.
    TriesView(report: TriesReport) {
        base: OutcomeView = report.base.into(),
        tries: Vec<TryView> = report.tries.into_iter().map(Into::into).collect(),
    }
}

/// Decides edited inputs, or those of a study, in memory beside their base. Records nothing.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/tries", tag = "scenarios", request_body = TriesBody,
    responses((status = 200, body = TriesView), (status = 404)))]
pub(crate) async fn try_edits(
    Operator { caller, api }: Operator,
    Body(body): Body<TriesBody>,
) -> ApiResult<Json<TriesView>> {
    let plan = match (body.tries, body.study) {
        (Some(tries), None) => TryPlan::Edits(given_tries(tries)?),
        (None, Some(study)) => TryPlan::Study(study),
        _ => return Err(Problem::bad("The body has either tries or study.")),
    };
    let TryBase { input: base, .. } = TryBase::read(&api, &caller, body.base_run).await?;
    let tries = plan.tries(&base)?;
    // A caller who is gone stops the engine.
    let gone = CancellationToken::new();
    let control = RunControl::stopped_by(&gone, StopReason::Over);
    let _guard = gone.drop_guard();
    let report = when_permitted(&api, &caller, async move || {
        run_tries(&base, &tries, &control).map_err(refusal)
    });
    Ok(Json(report.await?.into()))
}

/// Records an edited input as a scenario: a run that is never official. A worker runs it. Its name
/// becomes the name of the run, by which commands find it; no two runs have the same.
///
/// A repeated request with the same `Idempotency-Key` is answered with the same run, in any status.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/scenarios", tag = "scenarios", request_body = ScenarioBody,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,200}$",
        description = "1 to 200 characters; makes a retry safe")),
    responses((status = 202, body = crate::runs::RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 404),
        (status = 409)))]
pub(crate) async fn keep_scenario(
    Operator { caller, api }: Operator,
    headers: HeaderMap,
    Body(body): Body<ScenarioBody>,
) -> ApiResult<Response> {
    if body.name.trim().is_empty() || body.edits.is_empty() {
        return Err(Problem::bad("A scenario has a name and at least one edit."));
    }
    let edits = parsed(&body.edits)?;
    let scenario = Scenario {
        name: body.name,
        note: body.note,
        base_run: body.base_run.map(|run| run.to_string()),
        edits: edits.iter().map(ToString::to_string).collect(),
    };
    let store = caller.store().await?;
    let asked = AskedRun::Scenario(&scenario);
    let new = match find_request(store.as_ref(), &caller, &headers, asked).await? {
        FoundRequest::New(new) => new,
        FoundRequest::Earlier(answer) => return Ok(answer),
    };
    ensure_free(store.as_ref(), &scenario.name).await?;
    let TryBase { input, mapping, provenance } =
        TryBase::read(&api, &caller, body.base_run).await?;
    let edited =
        spawn_blocking(async move || input.apply(&edits).map_err(|report| refused(&report)));
    let edited = edited.await?;
    let origin = RunOrigin { provenance, scenario: Some(scenario.clone()), ..RunOrigin::default() };
    let run = RequestedRun {
        snapshot: &edited.snapshot,
        options: &edited.options,
        source_warnings: &[],
        mapping: mapping.as_ref(),
        origin,
    };
    let run_id = new.run;
    let answer = enqueue(&api, &caller, store.clone(), new, run).await?;
    let now = api.clock.now();
    name_run(store.as_ref(), run_id, &scenario.name, &caller.actor, now).await?;
    Ok(answer)
}

/// What is tried.
enum TryPlan {
    Edits(Vec<Try>),
    Study(Study),
}

impl TryPlan {
    fn tries(self, base: &EditableInput) -> ApiResult<Vec<Try>> {
        let tries = match self {
            Self::Edits(tries) => return Ok(tries),
            Self::Study(Study::CostOfPriorities) => priority_tries(base.snapshot()),
            Self::Study(Study::Stability) => stability_tries(),
        };
        match tries.len() {
            0 => Err(Problem::bad("There is nothing to study: the input has fewer than 2 turns.")),
            1..=MOST_STUDIED => Ok(tries),
            more => Err(Problem::bad(format!(
                "The study has {more} tries, and {MOST_STUDIED} are the most; \
                 `powerfill try --cost-of-priorities` has no limit."
            ))),
        }
    }
}

fn given_tries(given: Vec<EditedTry>) -> ApiResult<Vec<Try>> {
    if given.is_empty() || given.len() > MOST_TRIES {
        return Err(Problem::bad(format!("tries has 1 to {MOST_TRIES} tries.")));
    }
    let named = given.into_iter().map(|EditedTry { name, edits }| {
        let unnamed = Try::of_edits(parsed(&edits)?);
        let name = name.unwrap_or_else(|| unnamed.name.clone());
        Ok(Try { name, ..unnamed })
    });
    named.collect()
}

fn parsed(lines: &[String]) -> ApiResult<Vec<Edit>> {
    Edit::parse_all(lines.iter().map(String::as_str)).map_err(|report| refused(&report))
}

/// The input that is edited, and where it comes from.
struct TryBase {
    input: EditableInput,
    mapping: Option<SourceMapping>,
    provenance: Option<SourceProvenance>,
}

impl TryBase {
    async fn read(api: &Api, caller: &Caller, run: Option<Uuid>) -> ApiResult<Self> {
        let Some(run) = run.map(RunId) else {
            let options = resolve_options(None, caller.tenant.as_ref())?;
            let validated = from_snapshot(api, &caller.tenant, |validated| validated).await?;
            let Validated { snapshot, mapping, provenance, .. } = validated;
            let input = EditableInput::new(Arc::new(snapshot), options);
            return Ok(Self { input, mapping, provenance });
        };
        let store = caller.store().await?;
        store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
        let (snapshot, requested) = read_input(store.as_ref(), run).await?;
        let RunRequested { options, mapping, origin, .. } = *requested;
        let input = EditableInput::new(snapshot, options);
        Ok(Self { input, mapping, provenance: origin.provenance })
    }
}

fn refused(report: &FaultReport) -> Problem {
    Problem::refused("The edits are refused", report)
}

fn refusal(error: TriesError) -> Problem {
    match error {
        TriesError::Refused(tries) => {
            let faults = tries.into_iter().flat_map(|refused| refused.faults.faults);
            refused(&FaultReport { faults: faults.collect() })
        }
        TriesError::Stopped(cancelled) => internal(&cancelled),
    }
}
