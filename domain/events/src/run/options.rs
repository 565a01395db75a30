//! The options of a run (specification 1.3).

use serde::{Deserialize, Serialize};

use crate::values::{Day, Name, Percent, Price};

crate::word_enums! {
    /// Which loans take part (`@as_scope`).
    Scope {
        /// Loans with a close date up to as_of.
        ClosedOnly = "closed_only",
        /// Rate-locked loans too.
        ClosedAndLocked = "closed_and_locked",
    }

    /// What the score is (`@as_price_value`).
    PriceMode {
        /// Price only.
        Po = "po",
        /// Price plus carry.
        Pc = "pc",
    }
}

crate::input_table! {
    /// The options of a run, checked, defaults filled in.
    #[derive(PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
    table RunOptions = "options", key(), at_most_one_row;
    defaults;
    columns {
        /// Which loans take part: closed ones, or rate-locked ones too.
        scope: Scope = Scope::ClosedAndLocked;
        /// What the score is: po price only, or pc price plus carry.
        price_mode: PriceMode = PriceMode::Po;
        /// Lowest status that takes part: a stage or a status.
        min_status: Name = Name::new("Closed");
        /// Days after as_of within which a loan must become deliverable.
        max_eligible_days: i32 = 30, within(0, 9999);
        /// Days after as_of within which a trade must settle.
        max_trade_settle_days: i32 = 60, within(0, 9999);
        /// Days that a loan must be deliverable before settlement.
        eligible_settle_buffer_days: i32 = 0, within(0, 9999);
        /// Lowest price taken on a bx trade, in points per 100 of par; NULL: no floor.
        bx_price_floor: Option<Price>;
        /// Distance from the open amount that counts as an exact fit, percent of that amount.
        exact_fit_variance: Percent = Percent::from_units(10_000), within(0, 100);
        /// Bound on the fill-remaining loop.
        max_fill_iterations: u32 = 20, within(0, 1000);
        /// Preference for staying: points added, in ranking only, to a loan's score at its present
        /// trade.
        switch_threshold: Price = Price::ZERO, at_least(0);
        /// The day from which days are counted; NULL: the snapshot's.
        as_of: Option<Day>;
    }
}
