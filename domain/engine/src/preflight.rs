//! 2.2 Preflight: nine checks before a run. An error refuses the run, a warning does not.

use std::collections::BTreeSet;

use super::book::TradeIdx;
use super::context::RunContext;
use super::index::{IdxVec, count};
use super::tree::WalkNode;
use powerfill_events::run::event::{Finding, FindingCode, RunFailed, Severity, Step};
use powerfill_events::values::{Name, fold};
use powerfill_snapshot::tables::{PoolLockRow, TradeType};
use powerfill_snapshot::{PriceMode, RunOptions, Snapshot};

/// The findings of the nine checks, in their order, then by subject.
pub fn preflight(snapshot: &Snapshot, options: &RunOptions) -> Vec<Finding> {
    findings(&RunContext::new(snapshot, options))
}

/// The failure of a run whose findings include an error.
pub(super) fn refusal(findings: &[Finding]) -> Option<RunFailed> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let messages: Vec<&str> = errors.map(|finding| finding.message.as_str()).collect();
    (!messages.is_empty()).then(|| RunFailed {
        step: Step::Preflight,
        code: "PREFLIGHT_REFUSED".to_owned(),
        message: messages.join("; "),
    })
}

pub(super) fn findings(context: &RunContext<'_>) -> Vec<Finding> {
    let mut findings = FindingList(Vec::new());
    check_participation(context, &mut findings);
    check_reachability(context, &mut findings);
    check_grid_prices(context, &mut findings);
    check_ages(context, &mut findings);
    check_carry_curves(context, &mut findings);
    check_lockdown(context, &mut findings);
    findings.0.sort_by_cached_key(|f| (f.code, f.subject.as_deref().map(fold)));
    findings.0
}

struct FindingList(Vec<Finding>);

impl FindingList {
    fn error(&mut self, code: FindingCode, subject: Option<String>, message: impl Into<String>) {
        let message = message.into();
        self.0.push(Finding { code, severity: Severity::Error, subject, message });
    }

    fn warning(&mut self, code: FindingCode, subject: String, message: impl Into<String>) {
        let (subject, message) = (Some(subject), message.into());
        self.0.push(Finding { code, severity: Severity::Warning, subject, message });
    }
}

/// PIPELINE_EMPTY, NO_OPEN_TRADES, NO_CONSTRAINTS.
fn check_participation(context: &RunContext<'_>, findings: &mut FindingList) {
    let eligible = count(context.participation.eligible().count());
    let least = context.book.snapshot.preflight.min_pipeline_loans;
    if i128::from(eligible) < i128::from(least) {
        findings.error(
            FindingCode::PipelineEmpty,
            Some(eligible.to_string()),
            format!(
                "{eligible} eligible loans, at least {least} are asked for: \
                 check scope, min_status and max_eligible_days"
            ),
        );
    }
    if context.participation.included.is_empty() {
        findings.error(
            FindingCode::NoOpenTrades,
            None,
            "no trade is in the run: check status, settlement dates and max_trade_settle_days",
        );
    }
    if context.tree.nodes.as_slice().is_empty() {
        findings.error(
            FindingCode::NoConstraints,
            None,
            "no constraint names an instrument: nothing can be matched",
        );
    }
}

/// CONSTRAINT_UNREACHABLE.
fn check_reachability(context: &RunContext<'_>, findings: &mut FindingList) {
    let RunContext { book, participation, tree, .. } = context;
    let message =
        |node: &WalkNode| match (book.constraint_instrument[node.constraint], node.instrument) {
            (None, _) => Some("its instrument does not exist"),
            (Some(_), None) => Some("its investor is not the instrument's"),
            (Some(instrument), Some(_)) if participation.included_of[instrument].is_empty() => {
                Some("no trade of its instrument is in the run")
            }
            (Some(_), Some(_)) => None,
        };
    for node in tree.nodes.iter() {
        if let Some(message) = message(node) {
            let key = book.constraint(node.constraint);
            let parts: [&Name; 3] =
                [&key.investor_id, &key.investor_instrument_name, &key.constraint_name];
            let subject = parts.map(Name::as_str).join("|");
            findings.warning(FindingCode::ConstraintUnreachable, subject, message);
        }
    }
}

/// PRICES_MISSING.
fn check_grid_prices(context: &RunContext<'_>, findings: &mut FindingList) {
    let RunContext { book, grids, participation, .. } = context;
    let is_priced_from_grid = |trade: &&TradeIdx| {
        let trade = book.trade(**trade);
        trade.trade_type == TradeType::Bx && !trade.priced_only
    };
    let trades = participation.included.iter().filter(is_priced_from_grid);
    let slots: BTreeSet<_> = trades
        .map(|trade| (book.trade_instrument[*trade], participation.settles_on(*trade)))
        .collect();
    for (instrument, settles_on) in slots {
        if grids.slot(instrument, settles_on).is_none() {
            let name = &book.instrument(instrument).investor_instrument_name;
            findings.warning(
                FindingCode::PricesMissing,
                format!("{name}|{settles_on}"),
                "the price grid has no row for this instrument and settlement date",
            );
        }
    }
}

/// PRICES_STALE, SNAPSHOT_STALE.
fn check_ages(context: &RunContext<'_>, findings: &mut FindingList) {
    let (as_of, snapshot) = (context.book.as_of, context.book.snapshot);
    let settings = &snapshot.preflight;
    if let Some(day) = snapshot.header.prices_as_of {
        let (age, most) = (i64::from(day.days_until(as_of)), settings.max_price_age_days);
        if age > most {
            let message = format!("prices are {age} days old, at most {most} are allowed");
            findings.warning(FindingCode::PricesStale, day.to_string(), message);
        }
    }
    let age = i64::from(snapshot.header.as_of.days_until(as_of));
    let most = settings.max_snapshot_age_days;
    if age > most {
        findings.warning(
            FindingCode::SnapshotStale,
            age.to_string(),
            format!("the snapshot is {age} days older than the run, at most {most} are allowed"),
        );
    }
}

/// CARRY_CURVE_GAP: the first day from 0 to max_trade_settle_days without a rate.
fn check_carry_curves(context: &RunContext<'_>, findings: &mut FindingList) {
    let RunContext { book, participation, .. } = context;
    if book.options.price_mode != PriceMode::Pc {
        return;
    }
    let last = i64::from(book.options.max_trade_settle_days);
    let mut covered = IdxVec::per_row(&book.snapshot.instruments, Vec::new());
    for row in book.snapshot.carry_costs.iter().filter(|row| row.annual_rate.is_some()) {
        if let Some(instrument) = book.instruments.find(&row.investor_instrument_name) {
            covered[instrument].push((row.on_day, row.to_day));
        }
    }
    for (instrument, buckets) in covered.enumerate() {
        if participation.included_of[instrument].is_empty() {
            continue;
        }
        let mut buckets = buckets.clone();
        buckets.sort_unstable();
        let first_gap =
            buckets.into_iter().fold(
                0,
                |day: i64, (on_day, to_day)| {
                    if on_day <= day { day.max(to_day + 1) } else { day }
                },
            );
        if first_gap <= last {
            let name = &book.instrument(instrument).investor_instrument_name;
            findings.warning(
                FindingCode::CarryCurveGap,
                name.as_str().to_owned(),
                format!("no bucket with a rate for day {first_gap}; carry counts as 0 there"),
            );
        }
    }
}

/// LOCKDOWN_INCONSISTENT.
fn check_lockdown(context: &RunContext<'_>, findings: &mut FindingList) {
    for row in &context.book.snapshot.lockdown {
        if let Some(message) = inconsistency(context, row) {
            let subject = row.pool_name.as_str().to_owned();
            findings.warning(FindingCode::LockdownInconsistent, subject, message);
        }
    }
}

fn inconsistency(context: &RunContext<'_>, row: &PoolLockRow) -> Option<String> {
    let RunContext { book, participation, .. } = context;
    let Some(pool) = book.pools.find(&row.pool_name) else {
        return Some("the lockdown guide names a pool that does not exist".to_owned());
    };
    let named = row.trade_id.as_ref()?;
    let designated = participation.pool_trade[pool].map(|trade| &book.trade(trade).trade_id);
    (designated != Some(named)).then(|| match designated {
        Some(trade) => format!("the row names trade {named}, the pool is designated to {trade}"),
        None => format!("the row names trade {named}, the pool is designated to none"),
    })
}
