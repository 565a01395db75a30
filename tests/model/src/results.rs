//! 2.8 Kickouts, 2.9 Trade results, 2.10 Pool guide.

use std::cmp::Reverse;

use powerfill_snapshot::tables::{Loan, PoolStatus};

use crate::market::{Candidate, Market, Worth};
use crate::number::{CENTS, Exact, of, of_decimal, of_units, round};
use crate::passes::Allocation;
use crate::who::Part;

/// A kicked-out loan.
pub(crate) struct Kickout<'m> {
    pub(crate) loan: usize,
    pub(crate) reason: &'static str,
    pub(crate) constraints_matched: usize,
    pub(crate) candidates: usize,
    pub(crate) best: Option<&'m Candidate>,
}

/// 2.8, for every Eligible loan that is unallocated at the end.
pub(crate) fn kickouts<'m>(market: &'m Market<'m>, end: &Allocation<'_>) -> Vec<Kickout<'m>> {
    let unallocated = market.cast.eligible().filter(|l| end.placed[*l].is_none());
    unallocated
        .map(|loan| {
            let matched: Vec<usize> =
                (0..market.nodes.len()).filter(|k| market.matches[*k][loan]).collect();
            let candidates: Vec<&Candidate> = market.of_loan[loan].iter().collect();
            // "the best trade by plain score, without switch_threshold (ties as lines 2 to 6 of 2.6)"
            let best =
                candidates.iter().copied().min_by_key(|c| (Reverse(c.score), market.tie_order(c)));
            Kickout {
                loan,
                reason: reason(market, end, loan, &matched, &candidates),
                constraints_matched: matched.len(),
                candidates: candidates.len(),
                best,
            }
        })
        .collect()
}

/// "the furthest that it got"
fn reason(
    market: &Market<'_>,
    end: &Allocation<'_>,
    loan: usize,
    matched: &[usize],
    candidates: &[&Candidate],
) -> &'static str {
    let rejected = |reason| market.rejections.iter().any(|((l, _), r)| *l == loan && *r == reason);
    let an_included_trade = matched.iter().any(|k| {
        let i = &market.nodes[*k].row.investor_instrument_name;
        market.cast.included().any(|t| market.instrument_of(t) == i)
    });
    if candidates.iter().any(|c| end.has_room(loan, c.trade)) {
        "LimitReached"
    } else if !candidates.is_empty() {
        "CapacityExhausted"
    } else if rejected("BelowPriceFloor") {
        "BelowPriceFloor"
    } else if rejected("NoPrice") {
        "NoPrice"
    } else if an_included_trade {
        "SettlesTooSoon"
    } else if !matched.is_empty() {
        "NoOpenTrade"
    } else {
        "NoMatchingConstraint"
    }
}

/// What an included trade ended with (2.9).
pub(crate) struct Fill {
    pub(crate) filled: i128,
    pub(crate) loans: Vec<usize>,
    pub(crate) status: &'static str,
    pub(crate) shortfall: i128,
    /// price (8 decimals), note_rate, fico, ltv (6).
    pub(crate) averages: [Option<i128>; 4],
}

/// 2.9 for one trade.
pub(crate) fn fill(market: &Market<'_>, end: &Allocation<'_>, trade: usize) -> Fill {
    let cast = market.cast;
    let t = &cast.trades[trade];
    let mut loans: Vec<usize> = cast.held_in(trade).collect();
    loans.extend(
        (0..end.placed.len())
            .filter(|l| end.placed[*l].as_ref().is_some_and(|p| p.candidate.trade == trade)),
    );
    let filled: i128 = loans.iter().map(|l| cast.amount(*l)).sum();
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
            .filter_map(|l| value(*l).map(|v| (of_units(cast.amount(*l), CENTS), v)))
            .collect();
        let weights: Exact = weighted.iter().map(|(weight, _)| weight.clone()).sum();
        let sum: Exact = weighted.iter().map(|(weight, v)| weight * v).sum();
        (!weighted.is_empty()).then(|| round(&(sum / weights), decimals))
    };
    let row = |l: usize| -> &Loan { &cast.snapshot.loans[l] };
    Fill {
        filled,
        status,
        shortfall: (t.min - filled).max(0),
        averages: [
            average(8, &|l| guide_worth(market, end, l).map(|w| of_units(w.price, 8))),
            average(6, &|l| Some(of(row(l).note_rate))),
            average(6, &|l| row(l).fico.map(of_decimal)),
            average(6, &|l| row(l).ltv.map(of_decimal)),
        ],
        loans,
    }
}

/// price … score of a guide row: where a pass placed the loan, or, for locked and held loans, in the trade that their
/// pool is designated to, "where that trade is included and there is a price" (1.5).
pub(crate) fn guide_worth(market: &Market<'_>, end: &Allocation<'_>, loan: usize) -> Option<Worth> {
    if let Some(placed) = &end.placed[loan] {
        return Some(placed.candidate.worth);
    }
    let trade = market.cast.prior_trade[loan]?;
    let pinned = market.cast.parts[loan].held_reason().is_some();
    (pinned && market.cast.trades[trade].included()).then(|| market.worth(loan, trade)).flatten()
}

/// A row of the pool guide.
pub(crate) struct Posting {
    pub(crate) action: &'static str,
    pub(crate) trade: Option<usize>,
    pub(crate) pool: String,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// `pa_key` (2.10).
pub(crate) fn pa_key(action: &str) -> u8 {
    match action {
        "Remaining" => 1,
        "Joining" => 2,
        "Leaving" => 3,
        "Switching" => 4,
        _ => 5,
    }
}

/// "The destination pool of an allocated loan on trade t"
pub(crate) fn destination(market: &Market<'_>, loan: usize, trade: usize) -> String {
    let (cast, snapshot) = (market.cast, market.cast.snapshot);
    if cast.prior_trade[loan] == Some(trade) {
        return present_pool(market, loan).expect("a pool with a trade");
    }
    let first = (0..snapshot.pools.len()).find(|pool| {
        cast.pool_trade[*pool] == Some(trade)
            && snapshot.pools[*pool].status == PoolStatus::Open
            && !cast.pool_locked[*pool]
    });
    match first {
        Some(pool) => snapshot.pools[pool].pool_name.to_string(),
        None => format!("NEW-{}", snapshot.trades[trade].trade_id),
    }
}

/// The loan's pool, as `pscat_pools` spells it.
pub(crate) fn present_pool(market: &Market<'_>, loan: usize) -> Option<String> {
    let snapshot = market.cast.snapshot;
    let pool = market.cast.pool_of(&snapshot.loans[loan])?;
    Some(snapshot.pools[pool].pool_name.to_string())
}

/// The table of 2.10.
pub(crate) fn postings(market: &Market<'_>, end: &Allocation<'_>, loan: usize) -> Vec<Posting> {
    let cast = market.cast;
    let p = present_pool(market, loan);
    let (q, joined) = match (cast.parts[loan], &end.placed[loan]) {
        (Part::OutOfScope, _) => return vec![],
        (Part::Locked | Part::Held(_), _) => (p.clone(), cast.prior_trade[loan]),
        (Part::Eligible, None) => (None, None),
        (Part::Eligible, Some(placed)) => {
            let trade = placed.candidate.trade;
            (Some(destination(market, loan, trade)), Some(trade))
        }
    };
    let left = cast.prior_trade[loan];
    let posting = |action, trade, pool: &Option<String>| Posting {
        action,
        trade,
        pool: pool.clone().expect("a posting is about a pool"),
        from: p.clone(),
        to: q.clone(),
    };
    match (&p, &q) {
        (Some(_), Some(_)) if p == q => vec![posting("Remaining", joined, &p)],
        (None, Some(_)) => vec![posting("Joining", joined, &q)],
        (Some(_), None) => vec![posting("Leaving", left, &p)],
        (Some(_), Some(_)) => {
            vec![posting("Switching", left, &p), posting("Swapped In", joined, &q)]
        }
        (None, None) => vec![],
    }
}
