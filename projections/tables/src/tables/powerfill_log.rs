//! The table `pfill_powerfill_log`: the steps of a run with their counts (1.5).

use std::collections::BTreeMap;
use std::fmt::Write;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    FillStatus, PassCompleted, PoolAction, RejectionReason, Severity, Step,
};
use powerfill_events::run::{RecordedEvent, RunEvent};

use super::Projector;
use powerfill_events::values::Choice;
use crate::table::{Cell, Column, DiffRules, RowBatch, TableRef, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_powerfill_log",
    purpose: "the steps of a run with their counts (1.5)",
    rows: "One row per step, in the order of part 2. The allocation also has a row per pass and \
           turn.",
    columns: &[
        Column::int("seq"),
        Column::text("step"),
        Column::text("message"),
        Column::int("row_count"),
    ],
    key: &["seq"],
    role: TableRole::Record,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["seq"],
        decision: &["step"],
        remarks: &["message"],
        presence_decides: false,
        because: "the log describes the run, not its decisions",
    },
    reports: &[],
};

/// The projector before the first event.
pub fn projector() -> impl Projector {
    Log::default()
}

/// Counts by step. Events of one step may come among those of another (a bx trade gets its date
/// before trades are assessed), so that the rows are written from the counts, in the order of the
/// steps.
#[derive(Default)]
struct Log {
    source_warnings: Vec<String>,
    loans: BTreeMap<String, u64>,
    trades: BTreeMap<String, u64>,
    errors: u64,
    warnings: u64,
    grids: u64,
    grid_rows: u64,
    trades_dated: u64,
    trades_without_date: u64,
    nodes: u64,
    turns: u32,
    candidates: u64,
    rejected: BTreeMap<RejectionReason, u64>,
    passes: Vec<PassCompleted>,
    placed: u64,
    kicked_out: u64,
    blocks: u64,
    fills: BTreeMap<FillStatus, u64>,
    postings: BTreeMap<PoolAction, u64>,
    synthetic_trades: u64,
    options: u64,
    loans_with_option: u64,
    loans_with_cash: u64,
    invariants: u64,
    checked: u64,
    started: bool,
    reached: Option<Step>,
    end: Option<End>,
}

enum End {
    Complete { output_digest: String, rows: u64 },
    Failed { step: Step, code: String, message: String },
    Cancelled { step: Step, by: String },
}

impl Projector for Log {
    fn table(&self) -> TableRef {
        &TABLE
    }

    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        if let Some(step) = step_of(event.event) {
            self.reached = self.reached.max(Some(step));
        }
        self.count_preparation(event.event)
            || self.count_results(event.event)
            || self.note_end(event.event)
    }

    fn rows(&self, out: &mut RowBatch) {
        let mut lines = Lines { seq: 0, out };
        for warning in &self.source_warnings {
            lines.push("snapshot", warning.clone(), None);
        }
        if self.started {
            lines.push("validation", self.validation(), Some(self.loans.values().sum()));
        }
        for step in Step::ALL.iter().copied().filter(|step| Some(*step) <= self.reached) {
            if step == Step::Allocation {
                for pass in &self.passes {
                    lines.push(step.as_str(), pass_line(pass), Some(pass.allocated + pass.moved));
                }
            }
            if let Some((message, rows)) = self.line(step) {
                lines.push(step.as_str(), message, Some(rows));
            }
        }
        match &self.end {
            Some(End::Complete { output_digest, rows }) => {
                lines.push("complete", format!("output digest {output_digest}"), Some(*rows));
            }
            Some(End::Failed { step, code, message }) => {
                lines.push("failed", format!("{}: {code}: {message}", step.as_str()), None);
            }
            Some(End::Cancelled { step, by }) => {
                lines.push("cancelled", format!("{}: by {by}", step.as_str()), None);
            }
            None => {}
        }
    }
}

struct Lines<'a> {
    seq: i64,
    out: &'a mut RowBatch,
}

impl Lines<'_> {
    fn push(&mut self, step: &'static str, message: String, row_count: Option<u64>) {
        self.seq += 1;
        self.out.push([self.seq.into(), Cell::Name(step), message.into(), row_count.into()]);
    }
}

impl Log {
    fn count_preparation(&mut self, event: &RunEvent) -> bool {
        match event {
            RunEvent::RunRequested(requested) if !requested.source_warnings.is_empty() => {
                self.source_warnings.clone_from(&requested.source_warnings);
            }
            RunEvent::RunStarted(started) => {
                self.started = true;
                self.loans = started.loans.clone();
                self.trades = started.trades.clone();
            }
            RunEvent::PreflightCompleted(preflight) => {
                for finding in &preflight.findings {
                    match finding.severity {
                        Severity::Error => self.errors += 1,
                        Severity::Warning => self.warnings += 1,
                    }
                }
            }
            RunEvent::CashGridBuilt(grid) => {
                self.grids += 1;
                self.grid_rows += grid.rows;
            }
            RunEvent::TradeSettlementSet(set) => match set.settlement_date {
                Some(_) => self.trades_dated += 1,
                None => self.trades_without_date += 1,
            },
            RunEvent::ConstraintMatched(matched) => {
                self.nodes += 1;
                self.turns = self.turns.max(matched.turn);
            }
            RunEvent::CandidateScored(_) => self.candidates += 1,
            RunEvent::CandidatesRejected(rejected) => {
                for pair in &rejected.rejections {
                    *self.rejected.entry(pair.reason).or_default() += 1;
                }
            }
            ignored!(RunRequested Positions Passes Results Synthetic Verification End) => return false,
        }
        true
    }

    fn count_results(&mut self, event: &RunEvent) -> bool {
        match event {
            RunEvent::LoanAllocated(_) => self.placed += 1,
            RunEvent::LoanReleased(_) => self.placed = self.placed.saturating_sub(1),
            RunEvent::PassCompleted(pass) => self.passes.push(pass.clone()),
            RunEvent::ConstraintBlockEvaluated(_) => self.blocks += 1,
            RunEvent::TradeFillEvaluated(fill) => {
                *self.fills.entry(fill.fill_status).or_default() += 1;
            }
            RunEvent::LoanKickedOut(_) => self.kicked_out += 1,
            RunEvent::PoolActionDerived(posting) => {
                *self.postings.entry(posting.pool_action).or_default() += 1;
            }
            RunEvent::SyntheticTradePriced(_) => self.synthetic_trades += 1,
            RunEvent::SyntheticOptionsRanked(ranked) => {
                self.loans_with_option += 1;
                self.options += ranked.options.len() as u64;
            }
            RunEvent::CashMarketMapped(_) => self.loans_with_cash += 1,
            RunEvent::InvariantsVerified(verified) => {
                self.invariants = verified.checks.len() as u64;
                self.checked = verified.checks.iter().map(|check| check.checked).sum();
            }
            ignored!(Opening Positions CashGrids Candidates LoanMoved End) => return false,
        }
        true
    }

    fn note_end(&mut self, event: &RunEvent) -> bool {
        self.end = Some(match event {
            RunEvent::RunCompleted(completed) => End::Complete {
                output_digest: completed.output_digest.clone(),
                rows: completed.counts.values().sum(),
            },
            RunEvent::RunFailed(failed) => End::Failed {
                step: failed.step,
                code: failed.code.clone(),
                message: failed.message.clone(),
            },
            RunEvent::RunCancelled(cancelled) => {
                End::Cancelled { step: cancelled.step, by: cancelled.cancelled_by.clone() }
            }
            ignored!(
                Opening Positions CashGrids Candidates Passes Results Synthetic Verification
            ) => return false,
        });
        true
    }

    fn validation(&self) -> String {
        format!("loans: {}; trades: {}", tally(&self.loans), tally(&self.trades))
    }

    /// What a step came to, in words and in rows; recording has no line of its own.
    fn line(&self, step: Step) -> Option<(String, u64)> {
        Some(match step {
            Step::Preflight => (
                format!("errors {}, warnings {}", self.errors, self.warnings),
                self.errors + self.warnings,
            ),
            Step::BxCashGrids => (format!("instruments {}", self.grids), self.grid_rows),
            Step::BxSettleAndPrice => (
                format!(
                    "trades given a settlement date {}, without one to take {}",
                    self.trades_dated, self.trades_without_date
                ),
                self.trades_dated,
            ),
            Step::CandidateBuilder => {
                let (nodes, turns) = (self.nodes, self.turns);
                let rejected = spelled_tally(&self.rejected);
                let message =
                    format!("constraints {nodes}, turns {turns}; pairs rejected: {rejected}");
                (message, self.candidates)
            }
            Step::Allocation => (
                format!(
                    "loans placed {}, kicked out {}; trades: {}; constraint blocks {}",
                    self.placed,
                    self.kicked_out,
                    spelled_tally(&self.fills),
                    self.blocks
                ),
                self.placed,
            ),
            Step::PoolGuide => (spelled_tally(&self.postings), self.postings.values().sum()),
            Step::Ue => (
                format!(
                    "synthetic trades {}; loans with an option {}, with a cash option {}",
                    self.synthetic_trades, self.loans_with_option, self.loans_with_cash
                ),
                self.options,
            ),
            Step::Invariants => (format!("invariants that hold {}", self.invariants), self.checked),
            Step::Record => return None,
        })
    }
}

/// The furthest step that an event shows to have begun.
pub fn step_of(event: &RunEvent) -> Option<Step> {
    Some(match event {
        RunEvent::RunRequested(_)
        | RunEvent::RunStarted(_)
        | RunEvent::TradeAssessed(_)
        | RunEvent::LoanPinned(_) => return None,
        RunEvent::PreflightCompleted(_) => Step::Preflight,
        RunEvent::CashGridBuilt(_) => Step::BxCashGrids,
        RunEvent::TradeSettlementSet(_) => Step::BxSettleAndPrice,
        RunEvent::ConstraintMatched(_)
        | RunEvent::CandidateScored(_)
        | RunEvent::CandidatesRejected(_) => Step::CandidateBuilder,
        RunEvent::LoanAllocated(_)
        | RunEvent::LoanMoved(_)
        | RunEvent::LoanReleased(_)
        | RunEvent::PassCompleted(_)
        | RunEvent::ConstraintBlockEvaluated(_)
        | RunEvent::TradeFillEvaluated(_)
        | RunEvent::LoanKickedOut(_) => Step::Allocation,
        RunEvent::PoolActionDerived(_) => Step::PoolGuide,
        RunEvent::SyntheticTradePriced(_)
        | RunEvent::SyntheticOptionsRanked(_)
        | RunEvent::CashMarketMapped(_) => Step::Ue,
        RunEvent::InvariantsVerified(_) => Step::Invariants,
        RunEvent::RunCompleted(_) => Step::Record,
        RunEvent::RunFailed(failed) => failed.step,
        RunEvent::RunCancelled(cancelled) => cancelled.step,
    })
}

fn pass_line(pass: &PassCompleted) -> String {
    let mut line = match pass.turn {
        Some(turn) => format!("turn {turn}, {}", pass.pass.as_str()),
        None => pass.pass.as_str().to_owned(),
    };
    let (allocated, moved, released) = (pass.allocated, pass.moved, pass.released);
    // A String takes every write.
    let _ = write!(line, ": allocated {allocated}, moved {moved}, released {released}");
    if pass.iterations > 1 {
        let _ = write!(line, "; rounds {}", pass.iterations);
    }
    if !pass.converged {
        line.push_str(", stopped by their bound");
    }
    line
}

fn spelled_tally<T: Choice>(counts: &BTreeMap<T, u64>) -> String {
    join(counts.iter().map(|(value, count)| (value.spelling(), *count)))
}

fn tally(counts: &BTreeMap<String, u64>) -> String {
    join(counts.iter().map(|(name, count)| (name.as_str(), *count)))
}

fn join<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let parts: Vec<_> = counts.map(|(name, count)| format!("{name} {count}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
