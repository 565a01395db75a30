//! The instance of a run, from its events and its snapshot (10.1).

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use powerfill_events::challenge::ChallengeWeights;
use powerfill_events::ignored;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{LoanPinned, Node};
use powerfill_events::values::{LoanId, TradeId};
use powerfill_snapshot::Snapshot;

use crate::instance::{Instance, InstanceLoan, LimitRoom, LoanPair, TradeRoom};
use crate::limits::LimitRules;

/// Positions by the spelling that events use. Nothing depends on their order.
type PositionOf<'a> = HashMap<&'a str, u32, RandomState>;

/// Why a run has no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChallengeable {
    /// The run has no result.
    #[error("the run is not complete: only a complete run can be challenged")]
    NotComplete,
    /// An event names what the snapshot lacks, or contradicts another one.
    #[error("the events of the run do not agree with its snapshot: {0}")]
    Contradiction(String),
}

/// Collects what an instance needs from the events of a run, in order.
pub struct RunReader<'a> {
    snapshot: &'a Snapshot,
    loan_at: PositionOf<'a>,
    trade_at: HashMap<TradeId, u32, RandomState>,
    snapshot_digest: String,
    trades: Vec<TradeRoom>,
    limits: Vec<LimitRoom>,
    pinned: Vec<(u32, TradeId)>,
    /// Their loans are known by the positions of the snapshot until [`finish`](Self::finish).
    pairs: Vec<LoanPair>,
    /// Per loan of the snapshot: the trade that it is in.
    placed: Vec<Option<u32>>,
    /// Per loan of the snapshot.
    kicked_out: Vec<bool>,
    turns: u32,
    is_complete: bool,
    fault: Option<NotChallengeable>,
}

impl<'a> RunReader<'a> {
    /// A reader before the first event.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let ids = snapshot.loans.iter().map(|loan| loan.loan_id.as_str());
        Self {
            snapshot,
            loan_at: ids.zip(0..).collect(),
            trade_at: HashMap::default(),
            snapshot_digest: String::new(),
            trades: Vec::new(),
            limits: Vec::new(),
            pinned: Vec::new(),
            pairs: Vec::new(),
            placed: vec![None; snapshot.loans.len()],
            kicked_out: vec![false; snapshot.loans.len()],
            turns: 0,
            is_complete: false,
            fault: None,
        }
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: &RunEvent) {
        if let Err(fault) = self.take(event) {
            self.fault.get_or_insert(fault);
        }
    }

    fn take(&mut self, event: &RunEvent) -> Result<(), NotChallengeable> {
        match event {
            RunEvent::RunRequested(requested) => {
                self.snapshot_digest.clone_from(&requested.snapshot_digest);
            }
            RunEvent::TradeAssessed(assessed) => {
                if let Some(band) = assessed.band {
                    self.trade_at.insert(assessed.trade_id.clone(), position(self.trades.len()));
                    self.trades.push(TradeRoom {
                        trade_id: assessed.trade_id.clone(),
                        min: band.min_amount.units(),
                        max: band.max_amount.units(),
                        held: band.held_amount.units(),
                    });
                }
            }
            RunEvent::LoanPinned(pinned) => self.pin(pinned)?,
            RunEvent::ConstraintMatched(matched) => self.turns = self.turns.max(matched.turn),
            RunEvent::CandidateScored(candidate) => {
                self.pairs.push(LoanPair {
                    loan: self.loan(&candidate.loan_id)?,
                    trade: self.trade(&candidate.trade_id)?,
                    turn: candidate.turn,
                    is_usable: false,
                    score: candidate.pricing.score.units(),
                    price: candidate.pricing.price.units(),
                    points: 0,
                });
            }
            RunEvent::LoanAllocated(event) => self.place(&event.loan_id, Some(&event.trade_id))?,
            RunEvent::LoanMoved(event) => self.place(&event.loan_id, Some(&event.to_trade_id))?,
            RunEvent::LoanReleased(event) => self.place(&event.loan_id, None)?,
            RunEvent::ConstraintBlockEvaluated(block) => {
                if let Some(hi) = block.hi_amount {
                    let trade = self.trade(&block.trade_id)?;
                    let node = Arc::clone(&block.node);
                    self.limits.push(LimitRoom { node, trade, room: hi.units() });
                }
            }
            RunEvent::LoanKickedOut(event) => {
                let loan = self.loan(&event.loan_id)?;
                self.kicked_out[loan as usize] = true;
            }
            RunEvent::RunCompleted(_) => self.completed(),
            ignored!(
                RunStarted PreflightCompleted CashGrids CandidatesRejected PassCompleted
                TradeFillEvaluated PoolActionDerived Synthetic Verification RunFailed RunCancelled
            ) => {}
        }
        Ok(())
    }

    /// States that the events are all there are: those of a run that is not recorded, or not yet.
    pub fn completed(&mut self) {
        self.is_complete = true;
    }

    fn loan(&self, id: &LoanId) -> Result<u32, NotChallengeable> {
        let found = self.loan_at.get(id.as_str()).copied();
        found.ok_or_else(|| NotChallengeable::Contradiction(format!("no loan {id}")))
    }

    fn trade(&self, id: &TradeId) -> Result<u32, NotChallengeable> {
        let found = self.trade_at.get(id).copied();
        found.ok_or_else(|| NotChallengeable::Contradiction(format!("no included trade {id}")))
    }

    fn place(&mut self, loan: &LoanId, trade: Option<&TradeId>) -> Result<(), NotChallengeable> {
        let trade = trade.map(|id| self.trade(id)).transpose()?;
        let loan = self.loan(loan)?;
        self.placed[loan as usize] = trade;
        Ok(())
    }

    fn pin(&mut self, pinned: &LoanPinned) -> Result<(), NotChallengeable> {
        let loan = self.loan(&pinned.loan_id)?;
        if let Some(trade) = &pinned.trade_id {
            self.pinned.push((loan, trade.clone()));
        }
        Ok(())
    }

    /// The instance, after the last event.
    ///
    /// # Errors
    /// The run is not complete; its events do not agree with the snapshot.
    pub fn finish(mut self, weights: ChallengeWeights) -> Result<Instance, NotChallengeable> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if !self.is_complete {
            return Err(NotChallengeable::NotComplete);
        }
        let rules = NodeMatcher::new(self.snapshot, &self.limits, self.trades.len());
        self.use_limits_of_pinned(&rules);
        let designated = self.designated();
        // By loan of the snapshot, which is by id, then by trade.
        self.pairs.sort_unstable_by_key(|pair| (pair.loan, pair.trade));
        let mut instance = Instance {
            snapshot_digest: self.snapshot_digest,
            weights,
            trades: self.trades,
            limits: self.limits,
            loans: Vec::new(),
            pairs: self.pairs,
            required: vec![0; self.turns as usize],
            first_pair: vec![0],
            first_limit: vec![0],
            pair_limits: Vec::new(),
        };
        let mut at = 0;
        for (row, loan) in (0_u32..).zip(&self.snapshot.loans) {
            let placed = self.placed[row as usize];
            let (from, is_eligible) = (at, placed.is_some() || self.kicked_out[row as usize]);
            while instance.pairs.get(at).is_some_and(|pair| pair.loan == row) {
                at += 1;
            }
            if !is_eligible {
                if at > from {
                    let text = format!("loan {} is neither placed nor kicked out", loan.loan_id);
                    return Err(NotChallengeable::Contradiction(text));
                }
                continue;
            }
            let present = loan
                .pool_name
                .as_ref()
                .and_then(|pool| self.trade_at.get(designated.get(pool.folded())?).copied());
            let mut entry = InstanceLoan {
                loan_id: LoanId::from(&loan.loan_id),
                amount: loan.loan_amount.units(),
                present,
                is_pooled: loan.pool_name.is_some(),
                placed: None,
            };
            let found = (from..at).find(|pair| Some(instance.pairs[*pair].trade) == placed);
            if placed.is_some() && found.is_none() {
                let text = format!("loan {} is placed where it is no candidate", loan.loan_id);
                return Err(NotChallengeable::Contradiction(text));
            }
            entry.placed = found.map(position);
            instance.add_loan(entry, from..at, &rules, row);
        }
        instance.required = instance.prefix_amounts(&instance.run_allocation());
        Ok(instance)
    }

    /// Takes what locked and held loans use from the rooms of the limits.
    fn use_limits_of_pinned(&mut self, rules: &NodeMatcher<'_>) {
        for (loan, trade) in &self.pinned {
            let Some(trade) = self.trade_at.get(trade) else { continue };
            for (limit, node) in &rules.of_trade[*trade as usize] {
                if rules.matches(*node, *loan) {
                    let amount = self.snapshot.loans[*loan as usize].loan_amount.units();
                    self.limits[*limit as usize].room -= amount;
                }
            }
        }
        for limit in &mut self.limits {
            limit.room = limit.room.max(0);
        }
    }

    /// The trade that each pool is designated to, by the folded name of the pool.
    fn designated(&self) -> HashMap<&'a str, TradeId, RandomState> {
        let trades = &self.snapshot.trades;
        let spelled = |key| {
            let found = trades.binary_search_by(|trade| trade.trade_id.cmp(key));
            found.ok().map(|at| TradeId::from(&trades[at].trade_id))
        };
        let rows = self.snapshot.designations.iter();
        rows.filter_map(|row| Some((row.pool_name.folded(), spelled(&row.trade_id)?))).collect()
    }
}

impl Instance {
    /// Adds the next loan, which is in this row of the snapshot, with its pairs.
    fn add_loan(
        &mut self,
        loan: InstanceLoan,
        pairs: std::ops::Range<usize>,
        rules: &NodeMatcher<'_>,
        row: u32,
    ) {
        let lowest = self.pairs[pairs.clone()].iter().map(|pair| pair.score).min();
        let mut known: Vec<(u32, bool)> = Vec::new();
        for at in pairs.clone() {
            let trade = self.pairs[at].trade;
            let mut fits = loan.amount <= self.trades[trade as usize].room();
            for (limit, node) in &rules.of_trade[trade as usize] {
                let seen = known.iter().find(|(seen, _)| seen == node).map(|(_, does)| *does);
                let does = seen.unwrap_or_else(|| {
                    let does = rules.matches(*node, row);
                    known.push((*node, does));
                    does
                });
                if does {
                    self.pair_limits.push(*limit);
                    fits &= loan.amount <= self.limits[*limit as usize].room;
                }
            }
            self.first_limit.push(position(self.pair_limits.len()));
            let stay = if loan.present == Some(trade) { self.weights.stay.units() } else { 0 };
            let position_of_loan = position(self.loans.len());
            let pair = &mut self.pairs[at];
            pair.loan = position_of_loan;
            pair.is_usable = fits;
            pair.points = pair.score - lowest.unwrap_or(0) + self.weights.placement.units() + stay;
        }
        self.first_pair.push(position(pairs.end));
        self.loans.push(loan);
    }
}

/// The nodes that have limits, and what matches them.
struct NodeMatcher<'a> {
    snapshot: &'a Snapshot,
    nodes: Vec<LimitRules<'a>>,
    /// Per trade: its limits, each with the position of its node.
    of_trade: Vec<Vec<(u32, u32)>>,
}

impl<'a> NodeMatcher<'a> {
    fn new(snapshot: &'a Snapshot, limits: &[LimitRoom], trades: usize) -> Self {
        let mut nodes: Vec<LimitRules<'_>> = Vec::new();
        let mut last: Option<&Arc<Node>> = None;
        let mut of_trade = vec![Vec::new(); trades];
        for (at, limit) in (0..).zip(limits) {
            // The blocks of a node follow each other.
            if last.is_none_or(|node| **node != *limit.node) {
                nodes.push(LimitRules::new(snapshot, &limit.node));
                last = Some(&limit.node);
            }
            of_trade[limit.trade as usize].push((at, position(nodes.len() - 1)));
        }
        Self { snapshot, nodes, of_trade }
    }

    fn matches(&self, node: u32, loan: u32) -> bool {
        self.nodes[node as usize].matches(&self.snapshot.loans[loan as usize])
    }
}

/// A position as an instance holds it.
fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a run has fewer than 2^32 candidates")
}
