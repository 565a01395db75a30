//! Why pairs are rejected (2.6), with the dates and prices that decided.

use super::Facts;
use crate::book::{LoanIdx, TradeIdx};
use crate::candidates::{PairRejection, Scorer};
use crate::context::RunContext;
use crate::participation::LoanParticipation;
use powerfill_events::run::event::RejectionReason;
use powerfill_events::values::TradeId;
use powerfill_facts::{MissingPrice, RejectedPair, RejectionCause};
use powerfill_snapshot::tables::TradeType;

impl Facts<'_> {
    /// The rejected pairs of a loan, by trade.
    pub(super) fn rejections(&self, loan: LoanIdx) -> Vec<RejectedPair> {
        if self.context.participation.loans[loan] != LoanParticipation::Eligible {
            return Vec::new();
        }
        let scorer = Scorer::new(&self.context, self.matches());
        let (_, rejected) = scorer.score(&[loan]);
        rejected.into_iter().map(|pair| self.rejected_pair(&scorer, pair)).collect()
    }

    fn rejected_pair(&self, scorer: &Scorer<'_>, pair: PairRejection) -> RejectedPair {
        let PairRejection { loan, trade, reason } = pair;
        let RunContext { book, participation, .. } = &self.context;
        let why = match reason {
            RejectionReason::SettlesTooSoon => {
                let deliverable_on = scorer.eligible_on(loan);
                let buffer_days = book.options.eligible_settle_buffer_days;
                let earliest = deliverable_on.plus(buffer_days);
                RejectionCause::SettlesTooSoon { deliverable_on, buffer_days, earliest }
            }
            RejectionReason::NoPrice => RejectionCause::NoPrice(self.no_price(loan, trade)),
            RejectionReason::BelowPriceFloor => RejectionCause::BelowPriceFloor {
                price: scorer.price_in(loan, trade).expect("a price is below the floor").price,
                price_floor: book.options.bx_price_floor.expect("a price is below a floor"),
            },
        };
        RejectedPair {
            trade_id: TradeId::from(&book.trade(trade).trade_id),
            settlement_date: participation.settles_on(trade),
            why,
        }
    }

    /// The line of 2.3 that has no price. A forward trade has a price for every loan unless it is
    /// priced_only.
    fn no_price(&self, loan: LoanIdx, trade: TradeIdx) -> MissingPrice {
        let RunContext { book, grids, participation, .. } = &self.context;
        let row = book.trade(trade);
        if row.priced_only || row.trade_type == TradeType::Forward {
            return MissingPrice::PricedOnly;
        }
        let slot = grids.slot(book.trade_instrument[trade], participation.settles_on(trade));
        let lowest = slot.and_then(|slot| grids.points(slot).first());
        lowest.map_or(MissingPrice::NoGridDate, |lowest| MissingPrice::BelowGrid {
            note_rate: book.loan(loan).note_rate,
            lowest_note_rate: lowest.note_rate,
        })
    }
}
