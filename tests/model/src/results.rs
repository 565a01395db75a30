//! 2.8 Kickouts, 2.9 Trade results, 2.10 Pool guide.

use std::cmp::Reverse;

use powerfill_events::run::event::{KickoutReason, PoolAction, RejectionReason};
use powerfill_snapshot::tables::{Loan, PoolStatus};

use crate::market::{Market, ModelCandidate, ModelPricing};
use crate::number::{CENTS, Exact, exact, exact_decimal, of_units, round};
use crate::participation::LoanResult;
use crate::passes::ModelAllocation;

/// A kicked-out loan.
pub(crate) struct ModelKickout<'m> {
    pub(crate) loan: usize,
    pub(crate) reason: KickoutReason,
    pub(crate) constraints_matched: usize,
    pub(crate) candidates: usize,
    pub(crate) best: Option<&'m ModelCandidate>,
}

/// 2.8, for every Eligible loan that is unallocated at the end.
pub(crate) fn kickouts<'m>(
    market: &'m Market<'m>,
    end: &ModelAllocation<'_>,
) -> Vec<ModelKickout<'m>> {
    let unallocated = market.input.eligible().filter(|l| end.placed[*l].is_none());
    unallocated
        .map(|loan| {
            let matched: Vec<usize> =
                (0..market.nodes.len()).filter(|k| market.matches[*k][loan]).collect();
            let candidates: Vec<&ModelCandidate> = market.of_loan[loan].iter().collect();
            // "the best trade by plain score, without switch_threshold (ties as lines 2 to 6 of
            // 2.6)"
            let best =
                candidates.iter().copied().min_by_key(|c| (Reverse(c.score), market.tie_order(c)));
            ModelKickout {
                loan,
                reason: reason(market, end, loan, &matched, &candidates),
                constraints_matched: matched.len(),
                candidates: candidates.len(),
                best,
            }
        })
        .collect()
}

/// The reasons of 2.8, the furthest first.
const FURTHEST_FIRST: [KickoutReason; 7] = [
    KickoutReason::LimitReached,
    KickoutReason::CapacityExhausted,
    KickoutReason::BelowPriceFloor,
    KickoutReason::NoPrice,
    KickoutReason::SettlesTooSoon,
    KickoutReason::NoOpenTrade,
    KickoutReason::NoMatchingConstraint,
];

/// "Its reason is the furthest that it got."
fn reason(
    market: &Market<'_>,
    end: &ModelAllocation<'_>,
    loan: usize,
    matched: &[usize],
    candidates: &[&ModelCandidate],
) -> KickoutReason {
    let rejected = |reason| market.rejections.iter().any(|((l, _), r)| *l == loan && *r == reason);
    let has_included_trade = matched.iter().any(|k| {
        let i = &market.nodes[*k].row.investor_instrument_name;
        market.input.included().any(|t| market.instrument_of(t) == i)
    });
    // Whether the loan got at least this far. The match has no wildcard, so that a new reason must
    // be put here.
    let got_to = |reason: &KickoutReason| match reason {
        KickoutReason::LimitReached => candidates.iter().any(|c| end.has_room(loan, c.trade)),
        KickoutReason::CapacityExhausted => !candidates.is_empty(),
        KickoutReason::BelowPriceFloor => rejected(RejectionReason::BelowPriceFloor),
        KickoutReason::NoPrice => rejected(RejectionReason::NoPrice),
        KickoutReason::SettlesTooSoon => has_included_trade,
        KickoutReason::NoOpenTrade => !matched.is_empty(),
        KickoutReason::NoMatchingConstraint => true,
    };
    FURTHEST_FIRST.into_iter().find(got_to).expect("the last reason always holds")
}

/// The result of an included trade (2.9); amounts in cents.
pub(crate) struct ModelFill {
    pub(crate) filled: i128,
    pub(crate) loans: Vec<usize>,
    pub(crate) status: &'static str,
    pub(crate) shortfall: i128,
    /// price (8 decimals), note_rate, fico, and ltv (6 decimals).
    pub(crate) averages: [Option<i128>; 4],
}

/// 2.9 for one trade.
pub(crate) fn fill(market: &Market<'_>, end: &ModelAllocation<'_>, trade: usize) -> ModelFill {
    let input = market.input;
    let t = &input.trades[trade];
    let mut loans: Vec<usize> = input.held_in(trade).collect();
    loans.extend(
        (0..end.placed.len())
            .filter(|l| end.placed[*l].as_ref().is_some_and(|p| p.candidate.trade == trade)),
    );
    let filled: i128 = loans.iter().map(|l| input.amount(*l)).sum();
    assert_eq!(filled, end.filled[trade], "filled(t) is the sum of its loans");
    let status = if t.min <= filled && filled <= t.max {
        "Filled"
    } else if filled < t.min {
        "Under"
    } else {
        "Over"
    };
    let average = |decimals, value: &dyn Fn(usize) -> Option<Exact>| {
        let weighted: Vec<(Exact, Exact)> = loans
            .iter()
            .filter_map(|l| value(*l).map(|v| (of_units(input.amount(*l), CENTS), v)))
            .collect();
        let weights: Exact = weighted.iter().map(|(weight, _)| weight.clone()).sum();
        let sum: Exact = weighted.iter().map(|(weight, v)| weight * v).sum();
        (!weighted.is_empty()).then(|| round(&(sum / weights), decimals))
    };
    let row = |l: usize| -> &Loan { &input.snapshot.loans[l] };
    ModelFill {
        filled,
        status,
        shortfall: (t.min - filled).max(0),
        averages: [
            average(8, &|l| guide_pricing(market, end, l).map(|w| of_units(w.price, 8))),
            average(6, &|l| Some(exact(row(l).note_rate))),
            average(6, &|l| row(l).fico.map(exact_decimal)),
            average(6, &|l| row(l).ltv.map(exact_decimal)),
        ],
        loans,
    }
}

/// price to score of a guide row: in the trade where a pass placed the loan, or, for locked and
/// held loans, in their present trade, "where that trade is included and there is a price" (1.5).
pub(crate) fn guide_pricing(
    market: &Market<'_>,
    end: &ModelAllocation<'_>,
    loan: usize,
) -> Option<ModelPricing> {
    if let Some(placed) = &end.placed[loan] {
        return Some(placed.candidate.pricing);
    }
    let trade = market.input.prior_trade[loan]?;
    let pinned = market.input.loans[loan].held_reason().is_some();
    (pinned && market.input.trades[trade].included()).then(|| market.pricing(loan, trade)).flatten()
}

/// A row of the pool guide.
pub(crate) struct ModelPosting {
    pub(crate) action: PoolAction,
    pub(crate) trade: Option<usize>,
    pub(crate) pool: String,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// `pa_key` (2.10).
pub(crate) fn pa_key(action: PoolAction) -> u8 {
    match action {
        PoolAction::Remaining => 1,
        PoolAction::Joining => 2,
        PoolAction::Leaving => 3,
        PoolAction::Switching => 4,
        PoolAction::SwappedIn => 5,
    }
}

/// "The destination pool of an allocated loan on trade t"
pub(crate) fn destination(market: &Market<'_>, loan: usize, trade: usize) -> String {
    let (input, snapshot) = (market.input, market.input.snapshot);
    if input.prior_trade[loan] == Some(trade) {
        return present_pool(market, loan).expect("a loan with a prior trade is in a pool");
    }
    let first = (0..snapshot.pools.len()).find(|pool| {
        input.pool_trade[*pool] == Some(trade)
            && snapshot.pools[*pool].status == PoolStatus::Open
            && !input.pool_locked[*pool]
    });
    match first {
        Some(pool) => snapshot.pools[pool].pool_name.to_string(),
        None => format!("NEW-{}", snapshot.trades[trade].trade_id),
    }
}

/// The loan's pool, as `pscat_pools` spells it.
pub(crate) fn present_pool(market: &Market<'_>, loan: usize) -> Option<String> {
    let snapshot = market.input.snapshot;
    let pool = market.input.pool_of(&snapshot.loans[loan])?;
    Some(snapshot.pools[pool].pool_name.to_string())
}

/// The table of 2.10.
pub(crate) fn postings(
    market: &Market<'_>,
    end: &ModelAllocation<'_>,
    loan: usize,
) -> Vec<ModelPosting> {
    let input = market.input;
    let p = present_pool(market, loan);
    let (q, joined) = match (input.loans[loan], &end.placed[loan]) {
        (LoanResult::OutOfScope, _) => return vec![],
        (LoanResult::Locked | LoanResult::Held(_), _) => (p.clone(), input.prior_trade[loan]),
        (LoanResult::Eligible, None) => (None, None),
        (LoanResult::Eligible, Some(placed)) => {
            let trade = placed.candidate.trade;
            (Some(destination(market, loan, trade)), Some(trade))
        }
    };
    let left = input.prior_trade[loan];
    let posting = |action, trade, pool: &Option<String>| ModelPosting {
        action,
        trade,
        pool: pool.clone().expect("a posting is about a pool"),
        from: p.clone(),
        to: q.clone(),
    };
    match (&p, &q) {
        (Some(_), Some(_)) if p == q => vec![posting(PoolAction::Remaining, joined, &p)],
        (None, Some(_)) => vec![posting(PoolAction::Joining, joined, &q)],
        (Some(_), None) => vec![posting(PoolAction::Leaving, left, &p)],
        (Some(_), Some(_)) => {
            vec![
                posting(PoolAction::Switching, left, &p),
                posting(PoolAction::SwappedIn, joined, &q),
            ]
        }
        (None, None) => vec![],
    }
}
