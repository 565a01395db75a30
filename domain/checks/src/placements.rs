//! Invariant 4: every allocation is a candidate of this run; score and price recompute from the snapshot.

use super::Violation;
use super::book::{Book, LoanStand};
use super::story::{Placement, Story};
use super::tree::Tree;
use powerfill_events::run::event::{CandidateScored, Pricing};
use powerfill_events::values::Day;
use powerfill_snapshot::tables::TradeType;

/// A pair as 2.6 has it, where it is a candidate.
pub(super) struct Pair {
    /// The first node in walk order that the loan matches.
    pub(super) node: usize,
    /// What it is worth.
    pub(super) pricing: Pricing,
}

/// The pair of an eligible loan and an included trade, or why it is none.
pub(super) fn pair(
    book: &Book<'_>,
    tree: &Tree<'_>,
    loan: usize,
    trade: usize,
    from: Day,
) -> Result<Pair, &'static str> {
    let stand = &book.trades[trade];
    let node = tree
        .first_match(stand.instrument, &book.snapshot.loans[loan])
        .ok_or("the loan matches no node of the instrument")?;
    let deliverable = from.plus(book.options.eligible_settle_buffer_days);
    if stand.settles_on.is_none_or(|date| date < deliverable) {
        return Err("the trade settles too soon");
    }
    let pricing = book.pricing(loan, trade, from).ok_or("nothing prices the pair")?;
    let floor = match book.snapshot.trades[trade].trade_type {
        TradeType::Bx => book.options.bx_price_floor,
        TradeType::Forward => None,
    };
    match floor {
        Some(floor) if pricing.price < floor => Err("the price is below the floor"),
        _ => Ok(Pair { node, pricing }),
    }
}

/// Invariant 4, for every placement, also those that a later one undid. `candidates`: by placement, what the events
/// have for it.
pub(super) fn are_candidates(
    book: &Book<'_>,
    tree: &Tree<'_>,
    story: &Story<'_>,
    candidates: &[Option<&CandidateScored>],
) -> Result<u64, Violation> {
    for (placement, candidate) in story.placements.iter().zip(candidates) {
        let broken = |expected: &str, found: String| {
            let trade = &book.snapshot.trades[placement.trade].trade_id;
            let found = format!("{found} in trade {trade}");
            Violation::new(4, book.loan_subject(placement.loan), expected, found)
        };
        let LoanStand::Eligible { from } = book.loans[placement.loan] else {
            return Err(broken("an eligible loan", "another one".to_owned()));
        };
        if !book.trades[placement.trade].included() {
            return Err(broken("an included trade", "another one".to_owned()));
        }
        let pair = pair(book, tree, placement.loan, placement.trade, from)
            .map_err(|reason| broken("a candidate", reason.to_owned()))?;
        if *placement.pricing != pair.pricing {
            let expected = format!("{:?}", pair.pricing);
            return Err(broken(&expected, format!("{:?}", placement.pricing)));
        }
        let node = &tree.nodes[pair.node];
        if !node.is(placement.node) || node.turn != placement.turn {
            let expected = format!("{:?} in turn {}", node.node(), node.turn);
            let found = format!("{:?} in turn {}", placement.node, placement.turn);
            return Err(broken(&expected, found));
        }
        if !as_in_its_tables(book, placement) {
            let found = (placement.loan_amount, placement.settlement_date);
            return Err(broken("the loan's amount and the trade's date", format!("{found:?}")));
        }
        let same = candidate.is_some_and(|candidate| {
            candidate.turn == placement.turn
                && candidate.pricing == *placement.pricing
                && *candidate.node == *placement.node
        });
        if !same {
            let found = format!("{candidate:?}");
            return Err(broken("the same pair among the run's candidates", found));
        }
    }
    Ok(story.placements.len() as u64)
}

fn as_in_its_tables(book: &Book<'_>, placement: &Placement<'_>) -> bool {
    placement.loan_amount == book.snapshot.loans[placement.loan].loan_amount
        && Some(placement.settlement_date) == book.trades[placement.trade].settles_on
}
