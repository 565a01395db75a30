//! Candidates (2.6): whether a loan and a trade can be paired, and with which pricing.

use powerfill_events::run::event::Pricing;
use powerfill_events::values::Day;
use powerfill_snapshot::tables::TradeType;

use super::terms::RunTerms;
use super::tree::NodeTree;

/// A pair of a loan and a trade that is a candidate.
pub(super) struct CandidatePair {
    /// The first node in walk order that the loan matches.
    pub(super) node: usize,
    pub(super) pricing: Pricing,
}

/// The pair of an eligible loan and an included trade, or why it is not a candidate.
pub(super) fn pair(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    loan: usize,
    trade: usize,
    eligible_on: Day,
) -> Result<CandidatePair, &'static str> {
    let trade_terms = &terms.trades[trade];
    let node = tree
        .first_match(trade_terms.instrument, &terms.snapshot.loans[loan])
        .ok_or("the loan matches no node of the instrument")?;
    let earliest = eligible_on.plus(terms.options.eligible_settle_buffer_days);
    if trade_terms.settles_on.is_none_or(|date| date < earliest) {
        return Err("the trade settles too soon");
    }
    let pricing = terms.pricing(loan, trade, eligible_on).ok_or("the pair has no price")?;
    let floor = match terms.snapshot.trades[trade].trade_type {
        TradeType::Bx => terms.options.bx_price_floor,
        TradeType::Forward => None,
    };
    match floor {
        Some(floor) if pricing.price < floor => Err("the price is below the floor"),
        _ => Ok(CandidatePair { node, pricing }),
    }
}
