//! Instruments, trades, and pools.

use powerfill_events::input::{InstrumentKind, TradeType};
use powerfill_events::values::{
    Day, InstrumentName, InvestorId, Key, Money, Percent, PoolName, Price, Rate, TradeId,
};
use powerfill_events::{input_table, word_enums};

word_enums! {
    /// The status of a trade.
    TradeStatus {
        /// Can be filled.
        Open = "open",
        /// Delivered: its loans are held.
        Settled = "settled",
        /// Ended: its pools count as designated to no trade.
        Cancelled = "cancelled",
        /// Never made: its pools count as designated to no trade.
        Phantom = "phantom",
    }

    /// How `tolerance` and `tolerance_amount` combine (2.1).
    ToleranceRule {
        /// The percentage alone.
        Percent = "percent",
        /// The greater of both.
        GreaterOf = "greater_of",
        /// The lesser of both.
        LesserOf = "lesser_of",
    }

    /// The sides of the open amount that have a tolerance.
    ToleranceSide {
        /// Below and above.
        Both = "both",
        /// Above only.
        Over = "over",
        /// Below only.
        Under = "under",
        /// Neither.
        None = "none",
    }

    /// The status of a pool.
    PoolStatus {
        /// Loans can join and leave.
        Open = "open",
        /// Locked, unless the lockdown guide unlocks it.
        Closed = "closed",
    }
}

input_table! {
    /// An instrument that an investor buys.
    table Instrument = "pscat_instruments", key(investor_instrument_name), required;
    columns {
        /// The investor.
        investor_id: Key<InvestorId>, example("FNMA");
        /// The instrument.
        investor_instrument_name: Key<InstrumentName>, example("FN30 6.0");
        /// tba, cash window, or whole loan.
        kind: InstrumentKind, example("tba");
        /// Pass-through coupon, percent. NULL: none.
        coupon: Option<Rate>, plausible(0, 30), example("6.0");
        /// Lowest note rate, included. NULL: no bound.
        min_note_rate: Option<Rate>, plausible(0, 30), example("6.25");
        /// Highest note rate, included. NULL: no bound.
        max_note_rate: Option<Rate>, plausible(0, 30), example("7.125");
        /// Shortest term, included. NULL: no bound.
        min_term_months: Option<i64>, example("241");
        /// Longest term, included. NULL: no bound.
        max_term_months: Option<i64>, example("360");
        /// Note rate without a buy-up (2.3). NULL, together with rate_multiple: no buy-up.
        base_note_rate: Option<Rate>, plausible(0, 30);
        /// Points per percent of note rate above the base (2.3). NULL: no buy-up.
        rate_multiple: Option<Price>;
    }
}

impl Instrument {
    /// The buy-up; an instrument has both of its numbers or none.
    pub fn buy_up(&self) -> Option<BuyUp> {
        let (base_note_rate, rate_multiple) = (self.base_note_rate?, self.rate_multiple?);
        Some(BuyUp { base_note_rate, rate_multiple })
    }
}

/// The buy-up of an instrument (2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuyUp {
    /// The note rate at which it is zero.
    pub base_note_rate: Rate,
    /// Points per percent above the base, 8 decimals.
    pub rate_multiple: Price,
}

input_table! {
    /// The trade book.
    table Trade = "pscat_trades", key(trade_id), required;
    reference (investor_instrument_name) = "pscat_instruments", unknown Error;
    columns {
        /// The trade.
        trade_id: Key<TradeId>, example("T0001");
        /// The instrument that is delivered into it.
        investor_instrument_name: Key<InstrumentName>, example("FN30 6.0");
        /// Sold forward at a price, or best execution, priced from the grid.
        trade_type: TradeType, example("forward");
        /// Its status; open trades can be filled.
        status: TradeStatus, example("open");
        /// The day on which it settles. A forward trade has it. NULL: the grid decides.
        settlement_date: Option<Day>, example("2026-02-12");
        /// Target amount.
        trade_amount: Money, above(0), example("1000000.00");
        /// Tolerance, percent of the open amount.
        tolerance: Percent, within(0, 100), example("2.5");
        /// Tolerance in dollars. NULL: none; greater_of and lesser_of need it.
        tolerance_amount: Option<Money>, at_least(0);
        /// How the percentage and the dollars combine.
        tolerance_rule: ToleranceRule = ToleranceRule::Percent;
        /// The sides of the open amount that have the tolerance.
        tolerance_side: ToleranceSide = ToleranceSide::Both;
        /// Points per 100 of par. A forward trade has it, a bx trade does not.
        trade_price: Option<Price>, plausible(0, 500), example("101.5");
        /// Amount that was bought back.
        pair_off_amount: Money = Money::ZERO, at_least(0);
        /// Whether it takes only loans with a row in loan_price.
        priced_only: bool = false;
    }
}

input_table! {
    /// The pools, open or closed.
    table Pool = "pscat_pools", key(pool_name);
    reference (investor_instrument_name) = "pscat_instruments", unknown Error;
    columns {
        /// The pool. Names that begin with NEW- are for pools that a run proposes.
        pool_name: Key<PoolName>, example("P1");
        /// The instrument of its loans.
        investor_instrument_name: Key<InstrumentName>, example("FN30 6.0");
        /// Whether loans can join and leave.
        status: PoolStatus, example("open");
    }
}

input_table! {
    /// The trade that a pool is designated to. A pool is designated whole.
    table Designation = "pscat_trades_pools_relation", key(pool_name);
    reference (pool_name) = "pscat_pools", unknown Error;
    reference (trade_id) = "pscat_trades", unknown Error;
    columns {
        /// The pool.
        pool_name: Key<PoolName>, example("P1");
        /// The trade.
        trade_id: Key<TradeId>, example("T0001");
    }
}
