//! A rule before it is saved: its fault, or the loans that it matches (specification 1.4).

use std::sync::Arc;

use axum::Json;
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Money};
use powerfill_snapshot::Snapshot;
use powerfill_snapshot::rules::{Predicate, Truth};
use powerfill_snapshot::tables::{Loan, LoanColumn};
use powerfill_tables::status::RunStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::bounded_cache::{BoundedCache, CacheKey};
use crate::caller::{Caller, Viewer};
use crate::extract::Body;
use crate::position::page_size;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::run_view::requested;

/// The memory of all loans that are kept, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// The memory of a loan, per byte of the canonical form.
const BYTES_PER_BYTE: usize = 4;

/// The loans of a captured snapshot, as rules see them.
struct LoanBook {
    as_of: Day,
    columns: Vec<LoanColumn>,
    loans: Vec<Loan>,
    bytes: usize,
}

/// The loans of the runs that rules were tried on last.
pub(crate) struct LoanBooks(BoundedCache<Arc<LoanBook>>);

impl LoanBooks {
    pub(crate) fn new() -> Self {
        let idle = Some(std::time::Duration::from_secs(600));
        Self(BoundedCache::of_bytes(MAX_BYTES, idle, |book| book.bytes))
    }
}

/// A rule to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "rule_syntax": "fico >= 740 AND state = 'CA'", "examples": 5 }))]
pub(crate) struct RuleTrial {
    /// A condition over the columns of `loan`.
    rule_syntax: String,
    /// The most loans to name, 1 to 100. Absent: 10.
    #[schema(minimum = 1, maximum = 100)]
    examples: Option<usize>,
}

/// What is wrong with the rule, or what it matches.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct RuleTrialResult {
    /// Whether the rule has no fault. Otherwise, the counts are 0.
    valid: bool,
    /// The code of the fault: `rule_syntax`, `rule_column`, or `rule_type`.
    code: Option<String>,
    /// What was expected and found.
    message: Option<String>,
    /// The place of the fault: a character of the rule, from 1; one past the last if the rule ends
    /// too early.
    at: Option<usize>,
    /// The loans that satisfy the rule.
    loans: usize,
    /// The loans for which it is undecided, because a value is NULL. They do not satisfy it.
    undecided: usize,
    /// All loans of the snapshot.
    of: usize,
    /// The amount of the loans that satisfy it.
    amount: String,
    /// The first of them, by id.
    examples: Vec<String>,
    /// The run with the captured snapshot.
    run_id: Uuid,
    /// The day of the snapshot.
    as_of: String,
}

/// Tries a rule on the loans that the latest Complete run captured; changes nothing.
///
/// A faulty rule is an answer too, in the words of `check`, with the place of the fault.
#[utoipa::path(post, operation_id = "try_rule", path = "/api/powerfill/rules/preview",
    tag = "configuration", request_body = RuleTrial,
    responses((status = 200, body = RuleTrialResult),
        (status = 404, description = "No run is Complete")))]
pub(crate) async fn preview(
    Viewer { caller, api }: Viewer,
    Body(trial): Body<RuleTrial>,
) -> ApiResult<Json<RuleTrialResult>> {
    let limit = page_size(trial.examples, 10, 100)?;
    let latest = caller.store().await?.latest_run(RunStatus::Complete).await?;
    let none = || {
        let detail = "A rule is tried on the loans of the latest Complete run, and there is none; \
                      POST /api/powerfill/run requests one.";
        Problem::new(ProblemKind::NotFound, detail)
    };
    let run = latest.ok_or_else(none)?.run_id;
    let book = loan_book(&api, &caller, run).await?;
    let tried = spawn_blocking(async move || Ok(try_rule(&trial.rule_syntax, &book, run, limit)));
    Ok(Json(tried.await?))
}

fn try_rule(rule: &str, book: &LoanBook, run: RunId, limit: usize) -> RuleTrialResult {
    let mut result = RuleTrialResult {
        valid: true,
        of: book.loans.len(),
        amount: Money::ZERO.to_string(),
        run_id: run.0,
        as_of: book.as_of.to_string(),
        ..RuleTrialResult::default()
    };
    let predicate = match Predicate::compile(rule, &book.columns) {
        Ok(predicate) => predicate,
        Err(fault) => {
            result.valid = false;
            result.code = Some(fault.code.as_str().to_owned());
            result.message = Some(fault.message);
            result.at = Some(fault.position);
            return result;
        }
    };
    let mut amount = Money::ZERO;
    for loan in &book.loans {
        match predicate.evaluate(&loan.attributes) {
            Truth::True => {
                amount += loan.loan_amount;
                result.loans += 1;
                if result.examples.len() < limit {
                    result.examples.push(loan.loan_id.to_string());
                }
            }
            Truth::Unknown => result.undecided += 1,
            Truth::False => {}
        }
    }
    result.amount = amount.to_string();
    result
}

/// The loans of the snapshot that a run captured.
async fn loan_book(api: &Api, caller: &Caller, run: RunId) -> ApiResult<Arc<LoanBook>> {
    let store = caller.store().await?;
    let tenant = caller.tenant.id();
    // Runs with the same snapshot can have other days.
    let key = CacheKey::of_run(tenant, run);
    let read = async || {
        spawn_blocking(async move || {
            let requested = requested(store.as_ref(), run).await?;
            let requested = requested.ok_or_else(|| Problem::no_run(run))?;
            let canonical = store.captured(&requested.snapshot_digest).await?;
            let bytes = canonical.len().saturating_mul(BYTES_PER_BYTE);
            let snapshot =
                Snapshot::from_canonical(&canonical).map_err(|error| internal(&error))?;
            let Snapshot { header, loan_columns: columns, loans, .. } = snapshot;
            let as_of = requested.options.as_of.unwrap_or(header.as_of);
            Ok(Arc::new(LoanBook { as_of, columns, loans, bytes }))
        })
        .await
    };
    api.report_cache.in_turn(tenant, &api.loan_books.0, key, read, |_| true).await
}
