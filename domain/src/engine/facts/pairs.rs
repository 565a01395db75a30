//! Why pairs are no candidates (2.6), with the dates and prices that decided.

use serde::Serialize;

use super::Facts;
use crate::engine::book::Ix;
use crate::engine::candidates::{Rejected, Scorer};
use crate::engine::carry::CarryCurves;
use crate::engine::prices::PriceSources;
use crate::run::event::RejectionReason;
use crate::snapshot::tables::TradeType;
use crate::values::{Day, Price, Rate, TradeId};

/// A pair of a loan and an included trade that is no candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedPair {
    /// The trade.
    pub trade_id: TradeId,
    /// When it settles.
    pub settlement_date: Day,
    /// The first line of 2.6 that holds.
    #[serde(flatten)]
    pub why: WhyRejected,
}

/// The first line of 2.6 that holds, with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason")]
pub enum WhyRejected {
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
    NoPrice(NoPrice),
    /// A bx price below the floor.
    BelowPriceFloor {
        /// All-in.
        price: Price,
        /// bx_price_floor.
        price_floor: Price,
    },
}

/// Why there is no price (2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "no_price", rename_all = "snake_case")]
pub enum NoPrice {
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

impl WhyRejected {
    /// As the events name it.
    pub const fn reason(&self) -> RejectionReason {
        match self {
            Self::SettlesTooSoon { .. } => RejectionReason::SettlesTooSoon,
            Self::NoPrice(_) => RejectionReason::NoPrice,
            Self::BelowPriceFloor { .. } => RejectionReason::BelowPriceFloor,
        }
    }
}

impl Facts<'_> {
    /// The pairs of a loan that are no candidates, by trade.
    pub(super) fn rejections(&self, loan: Ix) -> Vec<RejectedPair> {
        if !self.participation.eligible().any(|ix| ix == loan) {
            return Vec::new();
        }
        let (prices, carry) =
            (PriceSources::new(&self.book, &self.grids), CarryCurves::new(&self.book));
        let scorer = Scorer {
            book: &self.book,
            participation: &self.participation,
            matches: self.matches(),
            prices: &prices,
            carry: &carry,
            trades_of_instrument: &self.trades_of_instrument,
        };
        let (_, rejected) = scorer.score(&[loan]);
        rejected.into_iter().map(|pair| self.rejected(&scorer, pair)).collect()
    }

    fn rejected(&self, scorer: &Scorer<'_>, pair: Rejected) -> RejectedPair {
        let Rejected { loan, trade, reason } = pair;
        let options = self.book.options;
        let why = match reason {
            RejectionReason::SettlesTooSoon => {
                let deliverable_on = scorer.deliverable_on(loan);
                let buffer_days = options.eligible_settle_buffer_days;
                let earliest = deliverable_on.plus(buffer_days);
                WhyRejected::SettlesTooSoon { deliverable_on, buffer_days, earliest }
            }
            RejectionReason::NoPrice => WhyRejected::NoPrice(self.no_price(loan, trade)),
            RejectionReason::BelowPriceFloor => WhyRejected::BelowPriceFloor {
                price: scorer.price_in(loan, trade).expect("a price is below the floor").price,
                price_floor: options.bx_price_floor.expect("a price is below a floor"),
            },
        };
        RejectedPair {
            trade_id: TradeId::from(&self.book.trade(trade).trade_id),
            settlement_date: self.participation.settles_on(trade),
            why,
        }
    }

    /// Which line of 2.3 came up with nothing; a forward trade that takes any loan always has a price.
    fn no_price(&self, loan: Ix, trade: Ix) -> NoPrice {
        let row = self.book.trade(trade);
        if row.priced_only || row.trade_type == TradeType::Forward {
            return NoPrice::PricedOnly;
        }
        let instrument = self.book.trade_instrument[trade as usize];
        let slot = self.grids.slot(instrument, self.participation.settles_on(trade));
        let lowest = slot.and_then(|slot| self.grids.points(slot).first());
        lowest.map_or(NoPrice::NoGridDate, |lowest| NoPrice::BelowGrid {
            note_rate: self.book.loan(loan).note_rate,
            lowest_note_rate: lowest.note_rate,
        })
    }
}
