//! Why pairs are not candidates (2.6), with the dates and prices that decided.

use powerfill_events::run::event::RejectionReason;
use powerfill_events::values::{Day, Price, Rate, TradeId};
use schemars::JsonSchema;
use serde::Serialize;

/// A pair of a loan and an included trade that is no candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RejectedPair {
    /// The trade.
    pub trade_id: TradeId,
    /// When it settles.
    pub settlement_date: Day,
    /// The first line of 2.6 that holds.
    #[serde(flatten)]
    pub why: RejectionCause,
}

/// The first line of 2.6 that holds, with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason")]
pub enum RejectionCause {
    /// The trade settles before the loan is deliverable.
    SettlesTooSoon {
        /// The loan's eligibility date.
        deliverable_on: Day,
        /// eligible_settle_buffer_days.
        buffer_days: i32,
        /// Both together: the first settlement date that would do.
        earliest: Day,
    },
    /// Nothing prices the pair.
    NoPrice(MissingPrice),
    /// A bx price below the floor.
    BelowPriceFloor {
        /// All-in.
        price: Price,
        /// bx_price_floor.
        price_floor: Price,
    },
}

/// Why there is no price (2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "no_price", rename_all = "snake_case")]
pub enum MissingPrice {
    /// The trade takes only loans with a row in `loan_price`, and this loan has none for it.
    PricedOnly,
    /// The grid of the trade's instrument has no row for its settlement date.
    NoGridDate,
    /// The note rate is below the lowest of the grid for that date.
    BelowGrid {
        /// Of the loan.
        note_rate: Rate,
        /// Of the grid.
        lowest_note_rate: Rate,
    },
}

impl RejectionCause {
    /// As the events name it.
    pub const fn reason(&self) -> RejectionReason {
        match self {
            Self::SettlesTooSoon { .. } => RejectionReason::SettlesTooSoon,
            Self::NoPrice(_) => RejectionReason::NoPrice,
            Self::BelowPriceFloor { .. } => RejectionReason::BelowPriceFloor,
        }
    }
}
