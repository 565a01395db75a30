//! Answers for the desk that decide nothing: the candidates of a node, and the cost of a carry
//! curve (specification 4.3, `/candidates/preview` and `/carry-cost/preview`).

use super::carry::{CarryCurve, RateBucket};
use super::decide;
use super::recorder::Observer;
use powerfill_events::run::event::{CandidateScored, Node, RunEvent, RunFailed, Step};
use powerfill_events::values::{Carry, ConstraintName, InstrumentName, InvestorId, Rate};
use powerfill_snapshot::{RunOptions, Snapshot};

/// The first candidates of a node, with the turn and rank that a run would give them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeCandidates {
    /// By turn and rank.
    pub first: Vec<CandidateScored>,
    /// Number of all candidates of the node.
    pub count: u64,
}

/// The first `limit` candidates of one node, from the steps of a run before the passes.
///
/// # Errors
/// Where preflight refuses the run.
pub fn candidates_of(
    snapshot: &Snapshot,
    options: &RunOptions,
    node: (&InvestorId, &InstrumentName, &ConstraintName),
    limit: usize,
) -> Result<NodeCandidates, RunFailed> {
    let candidates = NodeCandidates::default();
    let mut collector =
        CandidateCollector { node, limit, candidates, refusal: None, is_done: false };
    // The collector cancels the run where the passes begin.
    let _ = decide(snapshot, options, &mut collector);
    match collector.refusal {
        Some(refusal) => Err(refusal),
        None => Ok(collector.candidates),
    }
}

struct CandidateCollector<'a> {
    node: (&'a InvestorId, &'a InstrumentName, &'a ConstraintName),
    limit: usize,
    candidates: NodeCandidates,
    refusal: Option<RunFailed>,
    is_done: bool,
}

impl CandidateCollector<'_> {
    fn is_of_node(&self, node: &Node) -> bool {
        self.node == (&node.investor_id, &node.investor_instrument_name, &node.constraint_name)
    }
}

impl Observer for CandidateCollector<'_> {
    fn step(&mut self, step: Step) {
        self.is_done = step >= Step::Allocation;
    }

    fn events(&mut self, chunk: Vec<RunEvent>) {
        for event in chunk {
            if let RunEvent::CandidateScored(candidate) = event {
                if self.is_of_node(&candidate.node) {
                    self.candidates.count += 1;
                    if self.candidates.first.len() < self.limit {
                        self.candidates.first.push(candidate);
                    }
                }
            } else if let RunEvent::RunFailed(failed) = event {
                self.refusal = Some(failed);
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_done
    }
}

/// A day of a carry curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarryOfDay {
    /// Days from eligibility to settlement.
    pub interest_earning_days: i32,
    /// Mean rate of the buckets of the day: points per year, 6 decimals.
    pub annual_rate: Rate,
    /// Points, 8 decimals; negative for a cost (2.3).
    pub carry_cost: Carry,
}

/// The carry cost of a curve at each of these days.
pub fn carry_of_days(
    buckets: &[RateBucket],
    days: impl IntoIterator<Item = i32>,
) -> Vec<CarryOfDay> {
    let curve = CarryCurve::new(buckets);
    let of_day = |interest_earning_days| CarryOfDay {
        interest_earning_days,
        annual_rate: curve.rate(interest_earning_days),
        carry_cost: curve.cost(interest_earning_days),
    };
    days.into_iter().map(of_day).collect()
}
