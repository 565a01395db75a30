//! The track of a run (specification 3.4): which loan went where at which event, compact enough to
//! keep for many runs, so that the state after any event costs one pass over the placements and no
//! reading of events.
//!
//! The candidates and the synthetic options are no part of it; [`RunTrack::needs`] says which
//! events are. The filled amounts are sums over the placements; tests compare them with
//! [`RunSummary`](crate::RunSummary) after each event.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    ConstraintBlockEvaluated, ConstraintMatched, HeldReason, LoanAllocated, LoanKickedOut,
    LoanMoved, LoanPinned, LoanReleased, Node, Pass, PassCompleted, Step, TradeAssessed,
};
use powerfill_events::run::{EventType, RecordedEvent, RunEvent};
use powerfill_events::values::{Day, LoanId, Money, Share, TradeId};

use crate::tables::powerfill_log::step_of;

/// A trade of the run.
#[derive(Debug, Clone)]
pub struct TrackedTrade {
    /// What the run says about it. The settlement date is that of the run's end.
    pub assessed: TradeAssessed,
    /// The version of the event that says it.
    pub version: u64,
}

/// What a change does to a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionChangeKind {
    /// A locked or held loan stays. Its amount is in the held amount of the trade already.
    Pinned(HeldReason),
    /// A pass allocated it.
    Allocated(Pass),
    /// A pass moved it to another trade.
    Moved(Pass),
    /// An exchange took it out.
    Released(Pass),
    /// It is in no trade at the end.
    KickedOut,
}

impl PositionChangeKind {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pinned(_) => "pinned",
            Self::Allocated(_) => "allocated",
            Self::Moved(_) => "moved",
            Self::Released(_) => "released",
            Self::KickedOut => "kicked_out",
        }
    }

    /// The pass, if one did it.
    pub const fn pass(self) -> Option<Pass> {
        match self {
            Self::Allocated(pass) | Self::Moved(pass) | Self::Released(pass) => Some(pass),
            Self::Pinned(_) | Self::KickedOut => None,
        }
    }
}

/// A loan that came into a trade, left one, or was kicked out. Loans and trades are positions in
/// the track.
#[derive(Debug, Clone, Copy)]
pub struct PositionChange {
    /// The version of the event.
    pub version: u64,
    /// What happened.
    pub kind: PositionChangeKind,
    /// The loan, a position in [`RunTrack::loans`].
    pub loan: u32,
    /// The trade that it left, a position in [`RunTrack::trades`].
    pub from: Option<u32>,
    /// The trade that it came into.
    pub to: Option<u32>,
    /// The amount of the loan.
    pub amount: Money,
}

/// The events of one pass in one turn.
#[derive(Debug, Clone)]
pub struct PassSpan {
    /// The version of the first event.
    pub first_version: u64,
    /// The version of the last event so far, which is the completion if the pass is over.
    pub last_version: u64,
    /// The pass.
    pub pass: Pass,
    /// The turn; `None` for a pass of all turns.
    pub turn: Option<u32>,
    /// The result, once the pass is over.
    pub completed: Option<PassCompleted>,
}

/// The use of a node.
#[derive(Debug, Clone)]
pub struct NodeUse {
    /// Its turn.
    pub turn: u32,
    /// Loans that match it: eligible ones, and pinned ones whose trade is in the run.
    pub matched_loans: u64,
    /// Loans that were placed as candidates of this node and are still placed.
    pub placed_loans: u64,
    /// Their amount.
    pub placed_amount: Money,
    /// The goal.
    pub lo_limit: Option<Share>,
    /// The bound.
    pub hi_limit: Option<Share>,
    /// The amounts over its blocks; `None` without a block.
    pub limits: Option<LimitTotals>,
}

/// The use of a node's limits, summed over its blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitTotals {
    /// The number of blocks.
    pub blocks: u64,
    /// The amount of the matching loans in the trades.
    pub used_amount: Money,
    /// The goals; `None` where no block has one.
    pub lo_amount: Option<Money>,
    /// The bounds; `None` where no block has one.
    pub hi_amount: Option<Money>,
}

/// The run after an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackState {
    /// Loans that passes placed.
    pub placed: u64,
    /// Their amount.
    pub placed_amount: Money,
    /// Locked and held loans.
    pub pinned: u64,
    /// Their amount.
    pub pinned_amount: Money,
    /// Kicked-out loans.
    pub kicked_out: u64,
    /// Their amount.
    pub kicked_out_amount: Money,
    /// Placements, moves, and releases so far.
    pub changes: u64,
    /// Per trade of the track; `None` if it is not in the run, or not assessed yet.
    pub fills: Vec<Option<TrackFill>>,
}

/// How full a trade is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackFill {
    /// The amount of its loans, with held ones.
    pub filled_amount: Money,
    /// The number of its loans.
    pub loan_count: u64,
}

/// The track of one run.
#[derive(Debug, Default)]
pub struct RunTrack {
    /// Every assessed trade, in the order of the events.
    pub trades: Vec<TrackedTrade>,
    /// Every loan that was pinned, placed, or kicked out.
    pub loans: Vec<LoanId>,
    /// In the order of the events.
    pub changes: Vec<PositionChange>,
    /// In the order of the events.
    pub passes: Vec<PassSpan>,
    /// The first version of each step that left events which the track needs.
    pub steps: Vec<(Step, u64)>,
    /// The nodes in walk order, each with its use.
    pub nodes: Vec<(Arc<Node>, NodeUse)>,
    /// Whether the run is over, so that the track does not change any more.
    pub is_over: bool,
    trade_positions: HashMap<TradeId, u32>,
    loan_positions: HashMap<LoanId, u32>,
    node_positions: BTreeMap<Arc<Node>, usize>,
    /// Per placed loan, the node whose candidate it was.
    node_of: HashMap<u32, usize>,
}

impl RunTrack {
    /// Whether the track needs the events of this type.
    pub const fn needs(event_type: EventType) -> bool {
        !matches!(
            event_type,
            EventType::CandidateScored
                | EventType::CandidatesRejected
                | EventType::SyntheticOptionsRanked
                | EventType::CashMarketMapped
        )
    }

    /// Applies the next event that the track needs.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        let version = recorded.stream_version;
        self.is_over |= recorded.event.is_terminal();
        if let Some(step) = step_of(recorded.event)
            && self.steps.last().is_none_or(|(last, _)| *last != step)
        {
            self.steps.push((step, version));
        }
        match recorded.event {
            RunEvent::TradeAssessed(trade) => self.assess(trade, version),
            RunEvent::TradeSettlementSet(set) => self.settle(&set.trade_id, set.settlement_date),
            RunEvent::ConstraintMatched(matched) => self.match_node(matched),
            RunEvent::LoanPinned(pinned) => self.pin(pinned, version),
            RunEvent::LoanAllocated(placed) => self.allocate(placed, version),
            RunEvent::LoanMoved(moved) => self.relocate(moved, version),
            RunEvent::LoanReleased(released) => self.release(released, version),
            RunEvent::PassCompleted(completed) => {
                self.span(completed.pass, completed.turn, version).completed =
                    Some(completed.clone());
            }
            RunEvent::ConstraintBlockEvaluated(block) => self.evaluate(block),
            RunEvent::LoanKickedOut(kickout) => self.kick_out(kickout, version),
            ignored!(
                Opening CashGridBuilt CandidateScored CandidatesRejected TradeFillEvaluated
                PoolActionDerived Synthetic Verification End
            ) => {}
        }
    }

    fn assess(&mut self, trade: &TradeAssessed, version: u64) {
        let position = u32::try_from(self.trades.len()).unwrap_or(u32::MAX);
        self.trade_positions.insert(trade.trade_id.clone(), position);
        self.trades.push(TrackedTrade { assessed: trade.clone(), version });
    }

    fn settle(&mut self, trade_id: &TradeId, settlement_date: Option<Day>) {
        let Some(position) = self.trade_positions.get(trade_id) else { return };
        self.trades[*position as usize].assessed.settlement_date = settlement_date;
    }

    fn match_node(&mut self, matched: &ConstraintMatched) {
        let ConstraintMatched { node, turn, loans_matched, lo_limit, hi_limit, .. } = matched;
        self.node_positions.insert(Arc::clone(node), self.nodes.len());
        let used = NodeUse {
            turn: *turn,
            matched_loans: *loans_matched,
            placed_loans: 0,
            placed_amount: Money::ZERO,
            lo_limit: *lo_limit,
            hi_limit: *hi_limit,
            limits: None,
        };
        self.nodes.push((Arc::clone(node), used));
    }

    fn evaluate(&mut self, block: &ConstraintBlockEvaluated) {
        let Some(position) = self.node_positions.get(&block.node) else { return };
        let limits = self.nodes[*position].1.limits.get_or_insert_default();
        limits.blocks += 1;
        limits.used_amount += block.used_amount;
        let add = |sum: &mut Option<Money>, amount: Option<Money>| {
            if let Some(amount) = amount {
                *sum.get_or_insert(Money::ZERO) += amount;
            }
        };
        add(&mut limits.lo_amount, block.lo_amount);
        add(&mut limits.hi_amount, block.hi_amount);
    }

    fn loan(&mut self, loan_id: &LoanId) -> u32 {
        if let Some(position) = self.loan_positions.get(loan_id) {
            return *position;
        }
        let position = u32::try_from(self.loans.len()).unwrap_or(u32::MAX);
        self.loans.push(loan_id.clone());
        self.loan_positions.insert(loan_id.clone(), position);
        position
    }

    fn trade(&self, trade_id: &TradeId) -> Option<u32> {
        self.trade_positions.get(trade_id).copied()
    }

    /// The span of a pass, which the event of this version belongs to.
    fn span(&mut self, pass: Pass, turn: Option<u32>, version: u64) -> &mut PassSpan {
        let is_new = self.passes.last().is_none_or(|last| last.completed.is_some());
        if is_new {
            let span = PassSpan {
                first_version: version,
                last_version: version,
                pass,
                turn: turn.filter(|_| !pass.is_of_all_turns()),
                completed: None,
            };
            self.passes.push(span);
        }
        let last = self.passes.len() - 1;
        self.passes[last].last_version = version;
        &mut self.passes[last]
    }

    fn pin(&mut self, pinned: &LoanPinned, version: u64) {
        let to = pinned.trade_id.as_ref().and_then(|trade_id| self.trade(trade_id));
        let kind = PositionChangeKind::Pinned(pinned.held_reason);
        let (loan, amount) = (self.loan(&pinned.loan_id), pinned.loan_amount);
        self.changes.push(PositionChange { version, kind, loan, from: None, to, amount });
    }

    fn allocate(&mut self, placed: &LoanAllocated, version: u64) {
        self.span(placed.pass, Some(placed.turn), version);
        let to = self.trade(&placed.trade_id);
        let kind = PositionChangeKind::Allocated(placed.pass);
        let (loan, amount) = (self.loan(&placed.loan_id), placed.loan_amount);
        self.changes.push(PositionChange { version, kind, loan, from: None, to, amount });
        self.use_node(loan, &placed.node, amount);
    }

    fn relocate(&mut self, moved: &LoanMoved, version: u64) {
        self.span(moved.pass, Some(moved.turn), version);
        let (from, to) = (self.trade(&moved.from_trade_id), self.trade(&moved.to_trade_id));
        let kind = PositionChangeKind::Moved(moved.pass);
        let (loan, amount) = (self.loan(&moved.loan_id), moved.loan_amount);
        self.changes.push(PositionChange { version, kind, loan, from, to, amount });
        self.leave_node(loan, amount);
        self.use_node(loan, &moved.node, amount);
    }

    fn release(&mut self, released: &LoanReleased, version: u64) {
        self.span(released.pass, Some(released.turn), version);
        let from = self.trade(&released.trade_id);
        let kind = PositionChangeKind::Released(released.pass);
        let (loan, amount) = (self.loan(&released.loan_id), released.loan_amount);
        self.changes.push(PositionChange { version, kind, loan, from, to: None, amount });
        self.leave_node(loan, amount);
    }

    fn kick_out(&mut self, kickout: &LoanKickedOut, version: u64) {
        let kind = PositionChangeKind::KickedOut;
        let (loan, amount) = (self.loan(&kickout.loan_id), kickout.loan_amount);
        self.changes.push(PositionChange { version, kind, loan, from: None, to: None, amount });
    }

    fn use_node(&mut self, loan: u32, node: &Arc<Node>, amount: Money) {
        let Some(position) = self.node_positions.get(node).copied() else { return };
        self.node_of.insert(loan, position);
        let (_, used) = &mut self.nodes[position];
        used.placed_loans += 1;
        used.placed_amount += amount;
    }

    fn leave_node(&mut self, loan: u32, amount: Money) {
        let Some(position) = self.node_of.remove(&loan) else { return };
        let (_, used) = &mut self.nodes[position];
        used.placed_loans -= 1;
        used.placed_amount -= amount;
    }

    /// The run after the event of a version.
    pub fn state_at(&self, version: u64) -> TrackState {
        let fill = |trade: &TrackedTrade| {
            let band = trade.assessed.band.filter(|_| trade.version <= version)?;
            Some(TrackFill { filled_amount: band.held_amount, loan_count: 0 })
        };
        let fills = self.trades.iter().map(fill).collect();
        let mut state = TrackState { fills, ..TrackState::default() };
        self.changes[..self.changes_until(version)].iter().for_each(|change| state.apply(change));
        state
    }

    /// The number of changes up to a version, which is included.
    pub fn changes_until(&self, version: u64) -> usize {
        self.changes.partition_point(|change| change.version <= version)
    }

    /// The pass that the event of a version belongs to.
    pub fn pass_at(&self, version: u64) -> Option<&PassSpan> {
        let next = self.passes.partition_point(|pass| pass.last_version < version);
        self.passes.get(next).filter(|pass| pass.first_version <= version)
    }

    /// The step that the event of a version belongs to.
    pub fn step_at(&self, version: u64) -> Option<Step> {
        let next = self.steps.partition_point(|(_, first)| *first <= version);
        self.steps[..next].last().map(|(step, _)| *step)
    }

    /// The approximate memory, in bytes.
    pub fn size(&self) -> usize {
        // A trade and a loan stand in a list and in a map, each id about 32 bytes long.
        self.changes.len() * size_of::<PositionChange>()
            + self.loans.len() * 128
            + self.trades.len() * 512
            + self.nodes.len() * 512
            + self.passes.len() * size_of::<PassSpan>()
    }
}

impl TrackState {
    fn apply(&mut self, change: &PositionChange) {
        match change.kind {
            PositionChangeKind::Pinned(_) => {
                self.pinned += 1;
                self.pinned_amount += change.amount;
                if let Some(fill) = self.fill(change.to) {
                    fill.loan_count += 1;
                }
                return;
            }
            PositionChangeKind::Allocated(_) => {
                self.placed += 1;
                self.placed_amount += change.amount;
            }
            PositionChangeKind::Moved(_) => {}
            PositionChangeKind::Released(_) => {
                self.placed -= 1;
                self.placed_amount -= change.amount;
            }
            PositionChangeKind::KickedOut => {
                self.kicked_out += 1;
                self.kicked_out_amount += change.amount;
                return;
            }
        }
        self.changes += 1;
        if let Some(fill) = self.fill(change.from) {
            fill.filled_amount -= change.amount;
            fill.loan_count -= 1;
        }
        if let Some(fill) = self.fill(change.to) {
            fill.filled_amount += change.amount;
            fill.loan_count += 1;
        }
    }

    fn fill(&mut self, trade: Option<u32>) -> Option<&mut TrackFill> {
        self.fills.get_mut(trade? as usize)?.as_mut()
    }
}
