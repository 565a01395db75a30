//! The kicked-out loans by reason, with what they could bring elsewhere and what would place them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use powerfill_events::run::event::{KickoutReason, PoolAction};
use powerfill_events::values::{Money, fold};
use powerfill_tables::named_row::NamedRow;

use crate::document::{KickoutGroup, KickoutTrade, NameText, OverviewKickouts};
use crate::trades::Trades;

/// The best trades that are listed per reason.
const MAX_TRADES: usize = 10;

#[derive(Default)]
struct ReasonLoans {
    loans: u64,
    amount: Money,
    synthetic_loans: u64,
    synthetic_amount: Money,
    best_trades: HashMap<NameText, (u64, Money)>,
}

/// The kickouts so far.
#[derive(Default)]
pub(crate) struct Kickouts {
    /// By loan: the trade of the pool that it leaves.
    left: HashMap<NameText, Option<NameText>>,
    reasons: BTreeMap<KickoutReason, ReasonLoans>,
}

impl Kickouts {
    /// Takes a row of `pfill_pool_guide`.
    pub(crate) fn post(&mut self, row: NamedRow<'_>) {
        if row.choice("pool_action") == Some(PoolAction::Leaving) {
            self.left.insert(row.name("loan_id"), row.text("trade_id"));
        }
    }

    /// Takes a row of the grouping `kickout_reason` of `pfill_value_summary`.
    pub(crate) fn set_value(&mut self, row: NamedRow<'_>) {
        if let Some(reason) = row.choice("group_name") {
            let group = self.reasons.entry(reason).or_default();
            group.synthetic_loans = row.count("synthetic_loans").unwrap_or_default();
            group.synthetic_amount = row.amount("synthetic_amount");
        }
    }

    /// Takes a row of `pfill_kickout_guide_01`, and returns the trade that the loan leaves.
    pub(crate) fn take(&mut self, row: NamedRow<'_>) -> Option<NameText> {
        if let Some(reason) = row.choice("reason") {
            let amount: Money = row.amount("loan_amount");
            let group = self.reasons.entry(reason).or_default();
            group.loans += 1;
            group.amount += amount;
            if let Some(trade) = row.text("best_trade_id") {
                let (loans, sum) = group.best_trades.entry(trade).or_default();
                *loans += 1;
                *sum += amount;
            }
        }
        self.left.remove(row.str("loan_id")).flatten()
    }

    pub(crate) fn finish(self, trades: &Trades) -> OverviewKickouts {
        let mut kickouts = OverviewKickouts::default();
        for (reason, group) in self.reasons {
            kickouts.loans += group.loans;
            kickouts.loan_amount += group.amount;
            let mut best: Vec<KickoutTrade> = group
                .best_trades
                .into_iter()
                .map(|(trade_id, (loans, loan_amount))| {
                    let room_amount = trades.room(&trade_id);
                    KickoutTrade { trade_id, loans, loan_amount, room_amount }
                })
                .collect();
            best.sort_by_cached_key(|trade| (Reverse(trade.loan_amount), fold(&trade.trade_id)));
            let other_trades = best.len().saturating_sub(MAX_TRADES) as u64;
            best.truncate(MAX_TRADES);
            kickouts.reasons.push(KickoutGroup {
                reason,
                meaning: reason.words(),
                remedy: remedy(reason),
                loans: group.loans,
                loan_amount: group.amount,
                synthetic_loans: group.synthetic_loans,
                synthetic_amount: group.synthetic_amount,
                best_trades: best,
                other_trades,
            });
        }
        kickouts
    }
}

/// What would place a loan that is kicked out for a reason.
const fn remedy(reason: KickoutReason) -> &'static str {
    match reason {
        KickoutReason::NoMatchingConstraint => {
            "a constraint with rules that these loans satisfy, or corrected loan data"
        }
        KickoutReason::NoOpenTrade => "an open trade of an instrument that these loans match",
        KickoutReason::SettlesTooSoon => {
            "a trade that settles later, an earlier close date, or a smaller settlement buffer"
        }
        KickoutReason::NoPrice => "a price for these loans in the trades that they match",
        KickoutReason::BelowPriceFloor => "a lower price floor, or a better price in the grid",
        KickoutReason::CapacityExhausted => {
            "a larger trade, a wider tolerance, or another trade of the same instrument"
        }
        KickoutReason::LimitReached => {
            "a higher limit of the constraint that bars them; the trades have room"
        }
    }
}
