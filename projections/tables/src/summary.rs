//! The summary of a run, for `run`, `show`, and the history (specification 4.2, 4.4). It is valid
//! after each event, so it also shows a run as of any event (3.4).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use powerfill_events::ignored;
use powerfill_events::run::event::{
    Band, FillStatus, Finding, HeldReason, KickoutReason, LoanAllocated, LoanMoved, LoanPinned,
    LoanReleased, Pass, PassCompleted, PoolAction, RunCancelled, RunFailed, RunOrigin,
    SourceMapping, TradeAssessed,
};
use powerfill_events::run::options::RunOptions;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{LoanId, Money, TenantId, Timestamp, TradeId};
use serde::Serialize;

use crate::status::RunStatus;

/// The summary of a run. Amounts are in dollars.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// The status.
    pub status: RunStatus,
    /// The number of events in this summary.
    pub events: u64,
    /// The tenant.
    pub tenant_id: Option<TenantId>,
    /// The options with their defaults filled in.
    pub options: Option<RunOptions>,
    /// The actor that requested the run.
    pub requested_by: Option<String>,
    /// The time of the request.
    pub requested_at: Option<Timestamp>,
    /// The time at which a worker started the run.
    pub started_at: Option<Timestamp>,
    /// The time of the last event.
    pub ended_at: Option<Timestamp>,
    /// The version of the engine.
    pub engine_version: Option<String>,
    /// The version of the specification.
    pub spec_version: Option<String>,
    /// BLAKE3 of the snapshot.
    pub input_digest: Option<String>,
    /// The mapping that made the snapshot.
    pub mapping: Option<SourceMapping>,
    /// What the run comes from.
    pub origin: RunOrigin,
    /// BLAKE3 of the output tables, once Complete.
    pub output_digest: Option<String>,
    /// The numbers of loans that are `Eligible`, `Locked`, `Held(…)`, `OutOfScope(…)`.
    pub participation: BTreeMap<String, u64>,
    /// The numbers of trades that are `Included`, or excluded by reason.
    pub inclusion: BTreeMap<String, u64>,
    /// The findings of preflight.
    pub findings: Vec<Finding>,
    /// The number of candidates.
    pub candidates: u64,
    /// The outcomes of the loans so far.
    pub loans: LoanOutcomes,
    /// Kicked-out loans by reason.
    pub kickouts: BTreeMap<KickoutReason, u64>,
    /// Postings by pool action.
    pub pool_actions: BTreeMap<PoolAction, u64>,
    /// The passes, in the order in which they ended.
    pub passes: Vec<PassCompleted>,
    /// Included trades by their fill status after the events so far.
    pub fill_statuses: BTreeMap<FillStatus, u64>,
    /// Each included trade, by id.
    pub fills: Vec<TradeFill>,
    /// Rows by output table, once Complete.
    pub counts: BTreeMap<String, u64>,
    /// The failed step and its message.
    pub failure: Option<RunFailed>,
    /// The actor of the cancel, and the step that it ended.
    pub cancellation: Option<RunCancelled>,
    #[serde(skip)]
    placements: HashMap<LoanId, (Pass, Money)>,
    #[serde(skip)]
    positions: HashMap<TradeId, usize>,
}

/// Loans by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoanOutcomes {
    /// By the pass of their last placement.
    pub allocated: BTreeMap<Pass, u64>,
    /// The amount of the allocated loans.
    pub allocated_amount: Money,
    /// The number of kicked-out loans.
    pub kicked_out: u64,
    /// Their amount.
    pub kicked_out_amount: Money,
    /// The number of locked loans.
    pub locked: u64,
    /// The numbers of held loans by reason, without locked loans.
    pub held: BTreeMap<HeldReason, u64>,
}

/// The fill of an included trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradeFill {
    /// The trade.
    pub trade_id: TradeId,
    /// The target.
    pub open_amount: Money,
    /// The lower end of the band.
    pub min_amount: Money,
    /// The upper end of the band.
    pub max_amount: Money,
    /// The amount of all its loans, with the held loans.
    pub filled_amount: Money,
    /// The number of its loans.
    pub loan_count: u64,
    /// The fill status (2.9).
    pub fill_status: FillStatus,
    /// The amount that is missing to min; zero if none is.
    pub shortfall_amount: Money,
}

impl TradeFill {
    fn new(trade_id: &TradeId, open_amount: Money, band: Band) -> Self {
        let Band { min_amount, max_amount, held_amount, .. } = band;
        let mut fill = Self {
            trade_id: trade_id.clone(),
            open_amount,
            min_amount,
            max_amount,
            filled_amount: held_amount,
            loan_count: 0,
            fill_status: FillStatus::Under,
            shortfall_amount: Money::ZERO,
        };
        fill.set_filled(held_amount);
        fill
    }

    /// Sets the filled amount, with the fill status and the shortfall of 2.9.
    fn set_filled(&mut self, filled_amount: Money) {
        self.filled_amount = filled_amount;
        self.fill_status = if filled_amount < self.min_amount {
            FillStatus::Under
        } else if filled_amount > self.max_amount {
            FillStatus::Over
        } else {
            FillStatus::Filled
        };
        self.shortfall_amount = (self.min_amount - filled_amount).max(Money::ZERO);
    }
}

impl RunSummary {
    /// The summary before the first event.
    pub fn new(run_id: RunId) -> Self {
        Self { run_id, ..Self::default() }
    }

    /// Applies the next event.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.events = recorded.stream_version;
        self.status = self.status.max(RunStatus::reached_with(recorded.event));
        if recorded.event.is_terminal() {
            self.ended_at = Some(recorded.recorded_at);
        }
        match recorded.event {
            RunEvent::RunRequested(requested) => {
                self.tenant_id = Some(requested.tenant_id.clone());
                self.options = Some(requested.options.clone());
                self.requested_by = Some(requested.requested_by.clone());
                self.requested_at = Some(recorded.recorded_at);
                self.spec_version = Some(requested.spec_version.clone());
                self.input_digest = Some(requested.snapshot_digest.clone());
                self.mapping.clone_from(&requested.mapping);
                self.origin.clone_from(&requested.origin);
            }
            RunEvent::RunStarted(started) => {
                self.started_at = Some(recorded.recorded_at);
                self.engine_version = Some(started.engine_version.clone());
                self.participation.clone_from(&started.loans);
                self.inclusion.clone_from(&started.trades);
            }
            RunEvent::PreflightCompleted(preflight) => {
                self.findings.clone_from(&preflight.findings);
            }
            RunEvent::CandidateScored(_) => self.candidates += 1,
            RunEvent::PassCompleted(pass) => self.passes.push(pass.clone()),
            RunEvent::PoolActionDerived(posting) => {
                *self.pool_actions.entry(posting.pool_action).or_default() += 1;
            }
            RunEvent::LoanKickedOut(kickout) => {
                self.loans.kicked_out += 1;
                self.loans.kicked_out_amount += kickout.loan_amount;
                *self.kickouts.entry(kickout.reason).or_default() += 1;
            }
            RunEvent::RunCompleted(completed) => {
                self.output_digest = Some(completed.output_digest.clone());
                self.counts.clone_from(&completed.counts);
            }
            RunEvent::RunFailed(failed) => self.failure = Some(failed.clone()),
            RunEvent::RunCancelled(cancelled) => self.cancellation = Some(cancelled.clone()),
            RunEvent::TradeAssessed(trade) => self.assess(trade),
            RunEvent::LoanPinned(pinned) => self.pin(pinned),
            RunEvent::LoanAllocated(placed) => self.allocate(placed),
            RunEvent::LoanMoved(moved) => self.move_loan(moved),
            RunEvent::LoanReleased(released) => self.release(released),
            RunEvent::TradeFillEvaluated(evaluated) => {
                self.change(&evaluated.trade_id, |fill| {
                    fill.loan_count = evaluated.loan_count;
                    fill.set_filled(evaluated.filled_amount);
                });
            }
            ignored!(
                CashGrids ConstraintMatched CandidatesRejected ConstraintBlockEvaluated Synthetic
                Verification
            ) => {}
        }
    }

    fn assess(&mut self, trade: &TradeAssessed) {
        let Some(band) = trade.band else { return };
        let fill = TradeFill::new(&trade.trade_id, trade.open_amount, band);
        *self.fill_statuses.entry(fill.fill_status).or_default() += 1;
        self.positions.insert(trade.trade_id.clone(), self.fills.len());
        self.fills.push(fill);
    }

    fn pin(&mut self, pinned: &LoanPinned) {
        match pinned.held_reason {
            HeldReason::Locked => self.loans.locked += 1,
            reason => *self.loans.held.entry(reason).or_default() += 1,
        }
        if let Some(trade_id) = &pinned.trade_id {
            // The held amount of the trade has the loan already.
            self.change(trade_id, |fill| fill.loan_count += 1);
        }
    }

    fn allocate(&mut self, placed: &LoanAllocated) {
        self.place(&placed.loan_id, placed.pass, placed.loan_amount);
        self.change(&placed.trade_id, |fill| {
            fill.loan_count += 1;
            fill.set_filled(placed.filled_after);
        });
    }

    fn move_loan(&mut self, moved: &LoanMoved) {
        self.take_out(&moved.loan_id);
        self.place(&moved.loan_id, moved.pass, moved.loan_amount);
        self.change(&moved.from_trade_id, |fill| {
            fill.loan_count = fill.loan_count.saturating_sub(1);
            fill.set_filled(moved.from_filled_after);
        });
        self.change(&moved.to_trade_id, |fill| {
            fill.loan_count += 1;
            fill.set_filled(moved.filled_after);
        });
    }

    fn release(&mut self, released: &LoanReleased) {
        self.take_out(&released.loan_id);
        self.change(&released.trade_id, |fill| {
            fill.loan_count = fill.loan_count.saturating_sub(1);
            fill.set_filled(released.filled_after);
        });
    }

    fn place(&mut self, loan_id: &LoanId, pass: Pass, amount: Money) {
        self.placements.insert(loan_id.clone(), (pass, amount));
        *self.loans.allocated.entry(pass).or_default() += 1;
        self.loans.allocated_amount += amount;
    }

    fn take_out(&mut self, loan_id: &LoanId) {
        let Some((pass, amount)) = self.placements.remove(loan_id) else { return };
        self.loans.allocated_amount -= amount;
        decrement(&mut self.loans.allocated, pass);
    }

    fn change(&mut self, trade_id: &TradeId, change: impl FnOnce(&mut TradeFill)) {
        let Some(fill) = self.positions.get(trade_id).map(|at| &mut self.fills[*at]) else {
            return;
        };
        let before = fill.fill_status;
        change(fill);
        let after = fill.fill_status;
        if before != after {
            decrement(&mut self.fill_statuses, before);
            *self.fill_statuses.entry(after).or_default() += 1;
        }
    }
}

/// Subtracts 1 from a count, and removes a count of 0.
fn decrement<K: Ord>(counts: &mut BTreeMap<K, u64>, of: K) {
    if let Entry::Occupied(mut count) = counts.entry(of) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}
