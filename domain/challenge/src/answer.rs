//! What a challenge found, as events.

use std::sync::Arc;

use powerfill_events::challenge::{
    BoundCertified, ChallengeCompleted, ChallengeEvent, ChallengerPlaced, ChallengerReleased,
    PriceSubject, ShadowPriceFound,
};
use powerfill_events::values::{Money, Price, TradeId};

use crate::bound::{ShadowPrices, exact_dollars};
use crate::instance::Instance;

/// The prices above 0 (trades, limits, then turns, each in its order), and the bound that follows.
pub fn certified(instance: &Instance, prices: &ShadowPrices) -> Vec<ChallengeEvent> {
    let run = instance.run_allocation();
    let gap = instance.gap(prices, &run);
    let trades = instance
        .trades
        .iter()
        .map(|trade| PriceSubject::Trade { trade_id: trade.trade_id.clone() });
    let limits = instance.limits.iter().map(|limit| PriceSubject::Block {
        node: Arc::clone(&limit.node),
        trade_id: instance.trades[limit.trade as usize].trade_id.clone(),
    });
    let turns = (1..).zip(&prices.turns).map(|(turn, _)| PriceSubject::Turn { turn });
    let found = prices.trades.iter().chain(&prices.limits).chain(&prices.turns);
    let terms = gap.trades.iter().chain(&gap.limits).chain(&gap.turns);
    let subjects = trades.chain(limits).chain(turns);
    let mut events: Vec<ChallengeEvent> = subjects
        .zip(found)
        .zip(terms)
        .filter(|((_, price), _)| **price > 0)
        .map(|((subject, price), term)| {
            let price = Price::from_units(*price);
            let run_gap = exact_dollars(*term);
            ChallengeEvent::ShadowPriceFound(Box::new(ShadowPriceFound { subject, price, run_gap }))
        })
        .collect();
    let (worth, gap) = (instance.worth_of(&run), gap.total());
    events.push(ChallengeEvent::BoundCertified(Box::new(BoundCertified {
        bound: exact_dollars(worth + gap),
        run_worth: exact_dollars(worth),
        gap: exact_dollars(gap),
        eligible_amount: Money::from_units(instance.eligible_amount()),
    })));
    events
}

/// The loans that an allocation decides otherwise than the run, by id.
pub fn decided_otherwise(
    instance: &Instance,
    prices: &ShadowPrices,
    allocation: &[Option<u32>],
) -> Vec<ChallengeEvent> {
    let premiums = prices.premiums();
    let place = |pair: u32| {
        let at = pair as usize;
        let score = instance.pairs[at].score;
        let after = score - prices.charge(instance, &premiums, at);
        let trade = instance.pairs[at].trade as usize;
        let trade_id: TradeId = instance.trades[trade].trade_id.clone();
        (trade_id, Price::from_units(score), Price::from_units(after))
    };
    let decisions = instance.loans.iter().zip(allocation);
    decisions
        .filter(|(loan, pair)| loan.placed != **pair)
        .filter_map(|(loan, pair)| {
            let (loan_id, loan_amount) = (loan.loan_id.clone(), Money::from_units(loan.amount));
            let from = loan.placed.map(place);
            Some(match (from, pair.map(place)) {
                (from, Some((to_trade_id, to_score, to_score_after_prices))) => {
                    ChallengeEvent::ChallengerPlaced(Box::new(ChallengerPlaced {
                        loan_id,
                        loan_amount,
                        from_trade_id: from.as_ref().map(|(trade, ..)| trade.clone()),
                        to_trade_id,
                        from_score: from.as_ref().map(|(_, score, _)| *score),
                        to_score,
                        from_score_after_prices: from.as_ref().map(|(.., after)| *after),
                        to_score_after_prices,
                    }))
                }
                (Some((from_trade_id, from_score, from_score_after_prices)), None) => {
                    ChallengeEvent::ChallengerReleased(Box::new(ChallengerReleased {
                        loan_id,
                        loan_amount,
                        from_trade_id,
                        from_score,
                        from_score_after_prices,
                    }))
                }
                (None, None) => return None,
            })
        })
        .collect()
}

/// The end of a challenge. `allocation` is NULL for a certificate.
pub fn completed(
    instance: &Instance,
    steps: u64,
    allocation: Option<&[Option<u32>]>,
) -> ChallengeCompleted {
    ChallengeCompleted {
        steps,
        run: instance.totals(&instance.run_allocation()),
        challenger: allocation.map(|allocation| instance.totals(allocation)),
    }
}
