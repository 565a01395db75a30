//! What the desk looks at before a run, with nothing decided: the candidates of a node, what a carry curve costs
//! (specification 4.3 `/candidates/preview`, `/carry-cost/preview`).

use super::carry::CarryCurve;
use super::{Observer, decide};
use powerfill_events::run::event::{CandidateScored, Node, RunEvent, RunFailed, Step};
use powerfill_events::values::{Carry, ConstraintName, InstrumentName, InvestorId, Rate};
use powerfill_snapshot::{RunOptions, Snapshot};

/// The first candidates of a node, by turn and rank as a run would have them, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeCandidates {
    /// The first of them.
    pub first: Vec<CandidateScored>,
    /// How many there are in all.
    pub count: u64,
}

/// Works out the candidates of one node, at most so many, by going through a run up to the passes.
///
/// # Errors
/// Where preflight refuses the run.
pub fn candidates_of(
    snapshot: &Snapshot,
    options: &RunOptions,
    (investor, instrument, name): (&InvestorId, &InstrumentName, &ConstraintName),
    most: usize,
) -> Result<NodeCandidates, RunFailed> {
    struct OfNode<'a> {
        is_it: &'a dyn Fn(&Node) -> bool,
        most: usize,
        found: NodeCandidates,
        refused: Option<RunFailed>,
        is_over: bool,
    }
    impl Observer for OfNode<'_> {
        fn step(&mut self, step: Step) {
            self.is_over = step >= Step::Allocation;
        }

        fn events(&mut self, chunk: Vec<RunEvent>) {
            for event in chunk {
                if let RunEvent::CandidateScored(candidate) = event {
                    if (self.is_it)(&candidate.node) {
                        self.found.count += 1;
                        if self.found.first.len() < self.most {
                            self.found.first.push(candidate);
                        }
                    }
                } else if let RunEvent::RunFailed(failed) = event {
                    self.refused = Some(failed);
                }
            }
        }

        fn is_cancelled(&self) -> bool {
            self.is_over
        }
    }
    let is_it = |node: &Node| {
        node.investor_id == *investor
            && node.investor_instrument_name == *instrument
            && node.constraint_name == *name
    };
    let found = NodeCandidates::default();
    let mut of_node = OfNode { is_it: &is_it, most, found, refused: None, is_over: false };
    // It is cancelled where the passes begin, unless it is refused before.
    let _ = decide(snapshot, options, &mut of_node);
    match of_node.refused {
        Some(refused) => Err(refused),
        None => Ok(of_node.found),
    }
}

/// A day of a carry curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarryOfDay {
    /// Days from eligibility to settlement.
    pub interest_earning_days: i32,
    /// The mean of the rates of the buckets that hold the day; points a year, 6 decimals.
    pub annual_rate: Rate,
    /// What carrying a loan for so long earns, or costs (2.3): points, 8 decimals.
    pub carry_cost: Carry,
}

/// What the curve of these buckets (first day, last day, rate) costs at each day.
pub fn carry_of_days(
    buckets: &[(i64, i64, Rate)],
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
