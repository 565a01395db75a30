//! The options of a run (specification 1.3).

use serde::{Deserialize, Serialize};

use crate::values::{Day, Name, Percent, Price};

/// Which loans take part (`@as_scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Loans with a close date up to as_of.
    ClosedOnly,
    /// Rate-locked loans too.
    ClosedAndLocked,
}

/// What the score is (`@as_price_value`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceMode {
    /// Price only.
    Po,
    /// Price plus carry.
    Pc,
}

/// The options of a run, checked, defaults filled in. `as_of` NULL means the snapshot's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunOptions {
    /// Which loans take part.
    pub scope: Scope,
    /// What the score is.
    pub price_mode: PriceMode,
    /// Lowest status that takes part: a stage or a status.
    #[schemars(with = "String")]
    pub min_status: Name,
    /// Days that a loan may become deliverable after as_of, 0..9999.
    pub max_eligible_days: i32,
    /// Days that a trade may settle after as_of, 0..9999.
    pub max_trade_settle_days: i32,
    /// Days that a loan must be deliverable before settlement, 0..9999.
    pub eligible_settle_buffer_days: i32,
    /// Lowest price taken on a bx trade; absent: no floor.
    pub bx_price_floor: Option<Price>,
    /// How near to the open amount counts as exact, per cent of it, 0..100.
    pub exact_fit_variance: Percent,
    /// Bound on the fill-remaining loop, 0..1000.
    pub max_fill_iterations: u32,
    /// Added in ranking to a loan's score at the trade that it is in, points, 0 or more.
    pub switch_threshold: Price,
    /// The day that the run reckons from; the snapshot's where absent.
    pub as_of: Option<Day>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            scope: Scope::ClosedAndLocked,
            price_mode: PriceMode::Po,
            min_status: Name::new("Closed"),
            max_eligible_days: 30,
            max_trade_settle_days: 60,
            eligible_settle_buffer_days: 0,
            bx_price_floor: None,
            exact_fit_variance: Percent::from_units(10_000),
            max_fill_iterations: 20,
            switch_threshold: Price::ZERO,
            as_of: None,
        }
    }
}
