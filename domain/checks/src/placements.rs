//! Invariant 4: every allocation is a candidate of this run; score and price recompute from the
//! snapshot.

use super::decisions::{Decisions, RecordedPlacement};
use super::pairs::pair;
use super::terms::{LoanTerms, RunTerms};
use super::tree::NodeTree;
use super::violation::Violation;
use powerfill_events::run::event::CandidateScored;

/// Invariant 4, for every placement, also for those that a later decision undid. `candidates` has
/// the run's candidate per placement.
pub(super) fn check_candidates(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    decisions: &Decisions<'_>,
    candidates: &[Option<&CandidateScored>],
) -> Result<u64, Violation> {
    for (placement, candidate) in decisions.placements.iter().zip(candidates) {
        let violation = |expected: &str, found: String| {
            let trade = &terms.snapshot.trades[placement.trade].trade_id;
            let found = format!("{found} in trade {trade}");
            Violation::new(4, terms.loan_subject(placement.loan), expected, found)
        };
        let LoanTerms::Eligible { eligible_on } = terms.loans[placement.loan] else {
            return Err(violation("an eligible loan", "another loan".to_owned()));
        };
        if !terms.trades[placement.trade].is_included() {
            return Err(violation("an included trade", "an excluded trade".to_owned()));
        }
        let pair = pair(terms, tree, placement.loan, placement.trade, eligible_on)
            .map_err(|reason| violation("a candidate", reason.to_owned()))?;
        if *placement.pricing != pair.pricing {
            let expected = format!("{:?}", pair.pricing);
            return Err(violation(&expected, format!("{:?}", placement.pricing)));
        }
        let node = &tree.nodes[pair.node];
        if !node.is_same(placement.node) || node.turn != placement.turn {
            let expected = format!("{:?} in turn {}", node.to_node(), node.turn);
            let found = format!("{:?} in turn {}", placement.node, placement.turn);
            return Err(violation(&expected, found));
        }
        if !agrees_with_tables(terms, placement) {
            let found = format!("{:?}", (placement.loan_amount, placement.settlement_date));
            return Err(violation("the loan's amount and the trade's date", found));
        }
        let is_recorded = candidate.is_some_and(|candidate| {
            candidate.turn == placement.turn
                && candidate.pricing == *placement.pricing
                && *candidate.node == *placement.node
        });
        if !is_recorded {
            let found = format!("{candidate:?}");
            return Err(violation("the same pair among the run's candidates", found));
        }
    }
    Ok(super::arithmetic::count(decisions.placements.len()))
}

fn agrees_with_tables(terms: &RunTerms<'_>, placement: &RecordedPlacement<'_>) -> bool {
    placement.loan_amount == terms.snapshot.loans[placement.loan].loan_amount
        && Some(placement.settlement_date) == terms.trades[placement.trade].settles_on
}
